// What the shop has, and who has put a hand on it.

import crypto from 'node:crypto';

import { audit } from './audit.mjs';

export class NotFound extends Error {}
export class NotEnough extends Error {}

export class Warehouse {
  #stock = new Map();
  #reservations = new Map();

  async put(sku, stock) {
    this.#stock.set(sku, stock);
    await audit(`put ${sku} ${stock}`);
    return { sku, stock };
  }

  async item(sku) {
    const stock = this.#stock.get(sku);
    if (stock === undefined) throw new NotFound();
    return { sku, stock };
  }

  // `size` items from number `first` on, in the order of their SKUs.
  async list(first, size) {
    const skus = [...this.#stock.keys()].sort();
    const wanted = skus.slice(first, first + size);
    const items = [];
    for (const sku of wanted) {
      items.push(await this.item(sku));
      await audit(`read ${sku}`);
    }
    return { total: skus.length, items };
  }

  async reserve(sku, qty) {
    const { stock } = await this.item(sku);
    if (stock < qty) throw new NotEnough();
    await audit(`reserve ${sku} ${qty}`);
    this.#stock.set(sku, stock - qty);
    const reservation = { id: crypto.randomUUID(), sku, qty };
    this.#reservations.set(reservation.id, reservation);
    return reservation;
  }

  async cancel(id) {
    const reservation = this.#reservations.get(id);
    if (!reservation) throw new NotFound();
    await audit(`cancel ${id}`);
    const { sku, qty } = reservation;
    this.#stock.set(sku, this.#stock.get(sku) + qty);
  }
}
