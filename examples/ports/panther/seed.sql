insert or ignore into accounts (id, name, is_active, is_agent) values
    ('1', 'alice', 1, 1),
    ('2', 'bob', 1, 0),
    ('3', 'carol', 0, 0),
    ('4', 'mailgate', 1, 0); -- a partner: it has a key, and no password

insert or ignore into tickets (id, account, title) values
    (1, '2', 'The printer is on fire'),
    (2, '2', 'The fire is out, and so is the printer'),
    (3, '3', 'I cannot log in'),
    (4, '1', 'More coffee for the desk');
