import { Component, type ReactNode } from 'react';

// Stands in for a page that could not be drawn: a part of it that could not be
// fetched, or a mistake of ours. Typed text is kept as drafts are.
export class Mishap extends Component<
  { children: ReactNode },
  { failed: boolean }
> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="empty" role="alert">
        <h3>This page could not be shown</h3>
        <p>
          The server may be away, or newer than what is open here. Loading it
          again brings the page as it is now.
        </p>
        <button
          type="button"
          className="quiet"
          onClick={() => location.reload()}
        >
          Load again
        </button>
      </div>
    );
  }
}
