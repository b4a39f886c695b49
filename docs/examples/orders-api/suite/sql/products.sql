insert into products (sku, name, price_cents, stock) values
  ('A-1', 'Anvil', 1299, 1000000),
  ('B-2', 'Bolt', 25, 1000000),
  ('RARE-1', 'Last of its kind', 9900, 10);
