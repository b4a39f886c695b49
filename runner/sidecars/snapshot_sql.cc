#include "runner/sidecars/snapshot_sql.h"

namespace assay::sidecars {

// A table has changed when its number of rows differs, or when it has a row
// that no transaction visible at the snapshot wrote. `state` remembers what was
// visible, and the restoring transaction itself.
//
// The copies are ordinary tables: a `fault` may kill the server, and unlogged
// ones are empty after that.
//
// DELETE and not TRUNCATE: a service that leaves a transaction open after a
// SELECT (a common mistake, and not the one that is being graded) would block a
// TRUNCATE for ever.
const std::string_view kTakeSnapshot = R"sql(
drop schema if exists assay_snapshot cascade;
create schema assay_snapshot;
set search_path = pg_catalog;

create table assay_snapshot.tables (
  relation oid primary key, name text, columns text, held bigint);
create table assay_snapshot.sequences (
  name text, last_value bigint, is_called boolean);
create table assay_snapshot.state (
  visible pg_snapshot, own text);

create view assay_snapshot.live as
  select c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'S') and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'assay_snapshot');

do $do$
declare t record; number bigint; names text;
begin
  for t in select * from assay_snapshot.live loop
    if t.relkind = 'S' then
      execute format('insert into assay_snapshot.sequences '
        'select %L, last_value, is_called from %s', t.name, t.name);
      continue;
    end if;
    select string_agg(quote_ident(attname), ', ' order by attnum) into names
    from pg_attribute
    where attrelid = t.oid and attnum > 0 and not attisdropped
      and attgenerated = '';
    execute format('select count(*) from only %s', t.name) into number;
    if number > 0 and names is not null then
      execute format('create table assay_snapshot.%I as '
        'select %s from only %s', 't' || t.oid, names, t.name);
    end if;
    insert into assay_snapshot.tables values (t.oid, t.name, names, number);
  end loop;
end $do$;

create function assay_snapshot.restore() returns int
language plpgsql set session_replication_role = replica set lock_timeout = '300ms' as $fn$
declare t record; s record; seen pg_snapshot; self text;
  changed boolean; rewritten int := 0;
begin
  select visible, own into seen, self from assay_snapshot.state;
  for t in
    select l.name, coalesce(k.held, 0) as held, k.columns, k.relation
    from assay_snapshot.live l left join assay_snapshot.tables k
      on k.relation = l.oid
    where l.relkind = 'r'
  loop
    execute format('select count(*) <> %s or coalesce(bool_or(not '
      '(xmin::text = $2 or pg_visible_in_snapshot(xmin::text::xid8, $1))), '
      'false) from only %s', t.held, t.name)
      into changed using seen, self;
    continue when not changed;
    execute format('delete from only %s', t.name);
    if t.held > 0 then
      execute format('insert into %s (%s) overriding system value '
        'select %s from assay_snapshot.%I',
        t.name, t.columns, t.columns, 't' || t.relation);
    end if;
    rewritten := rewritten + 1;
  end loop;
  for s in
    select k.* from assay_snapshot.sequences k
    join assay_snapshot.live l on l.name = k.name and l.relkind = 'S'
  loop
    perform setval(s.name::regclass, s.last_value, s.is_called);
  end loop;
  update assay_snapshot.state set visible = pg_current_snapshot(),
    own = pg_current_xact_id()::xid::text;
  return rewritten;
end $fn$;

insert into assay_snapshot.state values (pg_current_snapshot(),
  pg_current_xact_id()::xid::text);
grant usage on schema assay_snapshot to assay_reset;
grant select on all tables in schema assay_snapshot to assay_reset;
grant update on assay_snapshot.state to assay_reset;
reset search_path;
)sql";

const std::string_view kRestoreSnapshot = "select assay_snapshot.restore()";

const std::string_view kEndTransactions =
    "select pg_terminate_backend(pid, 1000) from pg_stat_activity "
    "where usename = 'app' and xact_start is not null";

}  // namespace assay::sidecars
