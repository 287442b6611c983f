-- A tenant's key is never given again, also when the tenant is erased.

CREATE TABLE tenant_key (
  one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  last INTEGER NOT NULL
) STRICT;
INSERT INTO tenant_key (one, last) SELECT 1, coalesce(max(tenant_id), 0) FROM tenant;
