-- Created before your service starts, and filled with products.
create table customers (
  id uuid primary key default gen_random_uuid(),
  email text unique not null,
  password_hash text not null
);

create table products (
  sku text primary key,
  name text not null,
  price_cents integer not null check (price_cents >= 0),
  stock integer not null check (stock >= 0)
);

create table orders (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers (id),
  status text not null default 'created'
    check (status in ('created', 'shipped')),
  total_cents integer not null check (total_cents >= 0),
  idempotency_key uuid,
  created_at timestamptz not null default now(),
  unique (customer_id, idempotency_key)
);

create table order_lines (
  order_id uuid not null references orders (id) on delete cascade,
  sku text not null references products (sku),
  qty integer not null check (qty > 0),
  primary key (order_id, sku)
);

create index orders_by_customer on orders (customer_id, created_at desc);
create index orders_to_ship on orders (created_at) where status = 'created';
