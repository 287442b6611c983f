-- A tenant's key is never given again, also when the tenant is erased.

CREATE TABLE tenant_key (
  one  BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
  last BIGINT NOT NULL
);
INSERT INTO tenant_key (one, last) SELECT 1, coalesce(max(tenant_id), 0) FROM tenant;
