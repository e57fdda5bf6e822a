insert or ignore into accounts (id, username, role) values (1, 'admin', 'admin'), (2, 'alice', 'user'), (3, 'audrey', 'auditor');

insert or ignore into notes (id, owner, text) values
    (1, 1, 'Renew the certificate'),
    (2, 2, 'Water the plants'),
    (3, 2, 'Buy milk');
