DROP INDEX commitments_deadline;
CREATE INDEX commitments_deadline ON commitments (deadline) WHERE state = 'OPEN';
DROP INDEX customers_stubs;
CREATE INDEX customers_stubs ON customers (id) WHERE standing = 'STUB';
