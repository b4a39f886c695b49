// Customers: registering, signing in, and the tokens that they get.

import crypto from 'node:crypto';
import { promisify } from 'node:util';

import { Problem } from './problem.mjs';

const LIFETIME_SECONDS = 3600;
const scrypt = promisify(crypto.scrypt);

export async function register(database, body) {
  const { email, password } = credentials(body);
  const [row] = await database.query(
    'insert into customers (email, password_hash) values ($1, $2)' +
      ' on conflict (email) do nothing returning id',
    [email, await hash(password)]);
  if (!row) throw new Problem(409, 'This address is taken');
  return { id: row[0], email };
}

export async function login(database, body) {
  const { email, password } = credentials(body);
  const [row] = await database.query(
    'select id, password_hash from customers where email = $1', [email]);
  // An unknown address takes as long as a wrong password.
  const matches = await verify(password, row ? row[1] : '00:00');
  if (!row || !matches) throw new Problem(401, 'Address or password is wrong');
  return {
    access_token: issue(row[0]),
    token_type: 'Bearer',
    expires_in: LIFETIME_SECONDS,
  };
}

// The id of the customer that `token` was issued to; null unless it is ours.
export function customerOf(token) {
  const [header, claims, signature] = token.split('.');
  const expected = sign(`${header}.${claims}`);
  if (!equal(signature ?? '', expected)) return null;
  const { sub, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  return exp > Date.now() / 1000 ? sub : null;
}

function issue(customer) {
  const exp = Math.floor(Date.now() / 1000) + LIFETIME_SECONDS;
  const content = [{ alg: 'HS256', typ: 'JWT' }, { sub: customer, exp }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${content}.${sign(content)}`;
}

function sign(content) {
  const key = Buffer.from(process.env.TOKEN_SECRET, 'hex');
  return crypto.createHmac('sha256', key).update(content).digest('base64url');
}

function credentials(body) {
  const { email, password } = body ?? {};
  if (typeof email !== 'string' || !email.includes('@')) {
    throw new Problem(422, 'email must be an address');
  }
  const length = typeof password === 'string' ? password.length : 0;
  if (length < 8 || length > 200) {
    throw new Problem(422, 'password must have 8 to 200 characters');
  }
  return { email, password };
}

async function hash(password) {
  const salt = crypto.randomBytes(16);
  const digest = await scrypt(password, salt, 32);
  return `${salt.toString('hex')}:${digest.toString('hex')}`;
}

async function verify(password, stored) {
  const [salt, digest] = stored.split(':');
  const actual = await scrypt(password, Buffer.from(salt, 'hex'), 32);
  return equal(actual.toString('hex'), digest);
}

function equal(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && crypto.timingSafeEqual(a, b);
}
