DROP INDEX invitations_expiring;
CREATE INDEX invitations_expiring ON invitations (expire_time) WHERE state IN ('PENDING', 'SENT', 'OPENED');
