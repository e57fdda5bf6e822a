insert or ignore into accounts (id, email, language, is_active, is_staff) values
    ('1', 'ana@new.example', 'en', 1, 1),
    ('2', 'ben@new.example', 'de', 1, 0),
    ('3', 'otto@old.example', 'de', 1, 0),
    ('4', 'ina@new.example', 'en', 0, 0);

insert or ignore into contacts (id, owner, name, phone) values
    (1, '1', 'Fire brigade', '112'),
    (2, '2', 'Grandmother', '+49 731 5550100'),
    (3, '2', 'Plumber', '+49 731 5550101'),
    (4, '3', 'Weather', '+49 731 5550102');
