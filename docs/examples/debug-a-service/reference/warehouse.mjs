// What the shop has, and who has put a hand on it.

import crypto from 'node:crypto';

import { audit } from './audit.mjs';
import { Lock } from './lock.mjs';

export class NotFound extends Error {}
export class NotEnough extends Error {}

export class Warehouse {
  #stock = new Map();
  #reservations = new Map();
  #lock = new Lock();

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
    const items = await Promise.all(wanted.map((sku) => this.item(sku)));
    return { total: skus.length, items };
  }

  // One at a time: what was compared has to be what is written.
  reserve(sku, qty) {
    return this.#lock.run(async () => {
      const { stock } = await this.item(sku);
      if (stock < qty) throw new NotEnough();
      await audit(`reserve ${sku} ${qty}`);
      this.#stock.set(sku, stock - qty);
      const reservation = { id: crypto.randomUUID(), sku, qty };
      this.#reservations.set(reservation.id, reservation);
      return reservation;
    });
  }

  cancel(id) {
    return this.#lock.run(async () => {
      const reservation = this.#reservations.get(id);
      if (!reservation) throw new NotFound();
      this.#reservations.delete(id);
      await audit(`cancel ${id}`);
      const { sku, qty } = reservation;
      this.#stock.set(sku, this.#stock.get(sku) + qty);
    });
  }
}
