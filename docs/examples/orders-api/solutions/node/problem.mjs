// What goes wrong in a way that the caller is told about (RFC 9457).
export class Problem extends Error {
  constructor(status, title) {
    super(title);
    this.status = status;
  }

  toJSON() {
    return { type: 'about:blank', title: this.message, status: this.status };
  }
}
