create table orders (
  id bigserial primary key,
  sku text not null,
  qty int not null,
  state text not null default 'new'
);
create table order_lines (
  order_id bigint not null references orders,
  piece int not null
);
create index on order_lines (order_id);
grant all on all tables in schema public to app;
grant all on all sequences in schema public to app;
