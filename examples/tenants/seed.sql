insert or ignore into projects (tenant, id, name) values
    ('acme', 'rocket', 'A rocket'),
    ('acme', 'anvil', 'A heavy anvil'),
    ('globex', 'sailboat', 'A secret sailboat');
