import type { ReactNode } from 'react';

interface Props {
  reason: string;
  onReason: (reason: string) => void;
  // What the reason's field is called.
  label?: string;
  button: string;
  // Further buttons.
  children?: ReactNode;
}

// How every form ends that changes something for somebody: why, and the button.
export function FormEnd(props: Props) {
  const { reason, onReason, button, children } = props;
  return (
    <>
      <label className="wide">
        {props.label ?? 'Reason, kept in the audit log'}
        <input
          required
          maxLength={500}
          value={reason}
          onChange={(event) => onReason(event.target.value)}
        />
      </label>
      <button type="submit" className="primary">
        {button}
      </button>
      {children}
    </>
  );
}
