DROP TABLE entry_mails;
