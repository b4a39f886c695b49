// Orders: what may be ordered, what becomes of the stock, and shipping.

import { Problem } from './problem.mjs';

const MAX_LISTED = 100;
const PACKING_SECONDS = 1;
const POLL_MILLISECONDS = 250;

// With a `key`, the same customer's second call answers with the order that
// the first one made.
export async function create(database, customer, body, key) {
  const lines = linesOf(body);
  const order = await database.transaction(async (connection) => {
    const [inserted] = await connection.query(
      'insert into orders (customer_id, idempotency_key, total_cents)' +
        ' values ($1, $2, 0)' +
        ' on conflict (customer_id, idempotency_key) do nothing returning id',
      [customer, key]);
    if (!inserted) return null;
    const [id] = inserted;
    let total = 0;
    for (const { sku, qty } of lines) {
      total += await take(connection, sku, qty);
      await connection.query(
        'insert into order_lines (order_id, sku, qty) values ($1, $2, $3)',
        [id, sku, qty]);
    }
    await connection.query(
      'update orders set total_cents = $1 where id = $2', [total, id]);
    return (await load(connection, customer, 'o.id = $3', id))[0];
  });
  // The unique key made us wait for the other request's commit, so its order
  // can be read now.
  return order ??
    (await load(database, customer, 'o.idempotency_key = $3', key))[0];
}

export async function get(database, customer, id) {
  return (await load(database, customer, 'o.id = $3', id))[0];
}

export function listOf(database, customer) {
  return load(database, customer, 'true');
}

export function startShipping(database) {
  const ship = async () => {
    try {
      await database.query(
        "update orders set status = 'shipped' where status = 'created'" +
          ' and created_at < now() - make_interval(secs => $1)',
        [PACKING_SECONDS]);
    } catch (error) {
      // Orders stay `created` in the database: nothing is lost by trying again.
      console.error(`shipping: ${error.code ?? error.name}`);
    }
    setTimeout(ship, POLL_MILLISECONDS);
  };
  ship();
}

// In the order of the SKUs, so that two orders of the same products never wait
// for each other's locks.
function linesOf(body) {
  const lines = body?.lines;
  if (!Array.isArray(lines) || lines.length < 1 || lines.length > 100) {
    throw new Problem(422, 'lines must hold 1 to 100 lines');
  }
  for (const line of lines) {
    if (typeof line?.sku !== 'string') {
      throw new Problem(422, 'sku must be a string');
    }
    if (!Number.isInteger(line.qty) || line.qty < 1 || line.qty > 1000) {
      throw new Problem(422, 'qty must be a whole number from 1 to 1000');
    }
  }
  if (new Set(lines.map((line) => line.sku)).size < lines.length) {
    throw new Problem(422, 'each sku may occur once');
  }
  return [...lines].sort((a, b) => (a.sku < b.sku ? -1 : 1));
}

async function take(connection, sku, qty) {
  const [taken] = await connection.query(
    'update products set stock = stock - $1' +
      ' where sku = $2 and stock >= $1 returning price_cents', [qty, sku]);
  if (taken) return Number(taken[0]) * qty;
  const known = await connection.query(
    'select 1 from products where sku = $1', [sku]);
  if (known.length === 0) {
    throw new Problem(422, 'There is no product with this sku');
  }
  throw new Problem(409, 'The stock does not suffice');
}

async function load(database, customer, condition, ...values) {
  const rows = await database.query(
    'select o.id, o.status, o.total_cents, to_json(o.created_at),' +
      " json_agg(json_build_object('sku', l.sku, 'qty', l.qty) order by l.sku)" +
      ' from orders o join order_lines l on l.order_id = o.id' +
      ` where o.customer_id = $1 and ${condition}` +
      ' group by o.id order by o.created_at desc, o.id limit $2',
    [customer, MAX_LISTED, ...values]);
  return rows.map(([id, status, total, created, lines]) => ({
    id,
    status,
    total_cents: Number(total),
    created_at: JSON.parse(created),
    lines: JSON.parse(lines),
  }));
}
