import { type FormEvent, useState } from 'react';

import type { Account } from '../gen/assay/v1/account_pb';
import { Role } from '../gen/assay/v1/access_pb';
import { cleanText } from '../model/clean_text';
import { idOf } from '../model/format';
import { roleText } from '../model/role';
import { Answer, Loading } from '../parts/loading';
import { NO_OUTCOME, OutcomeNotice } from '../parts/outcome_notice';
import { scrollable } from '../parts/scrollable';
import { useSelf } from '../parts/self';
import { SureButton } from '../parts/sure_button';
import { Time } from '../parts/time';
import { useDraft } from '../parts/use_draft';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { Link } from '../router';
import { type Clients, sentence, useClients } from '../rpc/client';

// Who is signed in, their password, and, for admins, everybody's accounts.
export function AccountPage() {
  const self = useSelf();
  return (
    <>
      <title>Account · Assay</title>
      <p className="crumbs">
        <Link href="/">Assignments</Link>
      </p>
      <h1>
        {cleanText(self?.account?.displayName || self?.label || 'Account')}
      </h1>
      {!self && <Loading what="account" />}
      {self && (
        <p className="muted">
          {self.account
            ? `Signed in as ${idOf(self.account.name)}, ${roleText(self.role)}.`
            : `Signed in with a token, ${roleText(self.role)}.`}
        </p>
      )}
      {self?.account && <PasswordSection />}
      {self?.role === Role.ADMIN && <AccountsSection />}
    </>
  );
}

function PasswordSection() {
  const { accounts } = useClients();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [outcome, setOutcome] = useState(NO_OUTCOME);
  const change = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await accounts.changePassword({
        currentPassword: current,
        newPassword: next,
      });
      setCurrent('');
      setNext('');
      setOutcome({
        text: 'Changed. Your other sessions have ended.',
        good: true,
      });
    } catch (error) {
      setOutcome({ text: sentence(error), good: false });
    }
  };
  return (
    <section aria-labelledby="password">
      <h2 id="password">Password</h2>
      <form className="inline-form" onSubmit={(event) => void change(event)}>
        <label>
          Current password
          <input
            type="password"
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        </label>
        <label>
          New password, 10 characters or more
          <input
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            value={next}
            onChange={(event) => setNext(event.target.value)}
          />
        </label>
        <button type="submit" className="primary">
          Change
        </button>
      </form>
      <OutcomeNotice outcome={outcome} />
    </section>
  );
}

function AccountsSection() {
  const { accounts } = useClients();
  const now = useNow(60_000);
  const listed = useLoad((signal) => accounts.listAccounts({}, { signal }));
  const [notice, setNotice] = useState(NO_OUTCOME);
  const act = async (work: () => Promise<string>) => {
    try {
      setNotice({ text: await work(), good: true });
      listed.reload();
    } catch (error) {
      setNotice({ text: sentence(error), good: false });
    }
  };
  return (
    <section aria-labelledby="accounts">
      <h2 id="accounts">Accounts</h2>
      <AddForm act={act} accounts={accounts} />
      <OutcomeNotice outcome={notice} />
      <Answer of={listed} what="accounts">
        {(value) => (
          <div className="table-scroll" ref={scrollable}>
            <table>
              <thead>
                <tr>
                  <th scope="col">Account</th>
                  <th scope="col">Role</th>
                  <th scope="col">Last sign-in</th>
                  <th scope="col" className="number">
                    Sessions
                  </th>
                  <th scope="col">
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {value.accounts.map((account) => (
                  <AccountRow
                    key={account.name}
                    account={account}
                    accounts={accounts}
                    now={now}
                    act={act}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Answer>
    </section>
  );
}

const ROLES = [Role.ADMIN, Role.AUTHOR, Role.REVIEWER, Role.OBSERVER];

interface Acting {
  accounts: Clients['accounts'];
  act: (work: () => Promise<string>) => Promise<void>;
}

function AddForm({ accounts, act }: Acting) {
  const [typed, setTyped, forget] = useDraft('new account', {
    id: '',
    displayName: '',
    role: Role.REVIEWER,
  });
  const { id, displayName, role } = typed;
  const type = (more: Partial<typeof typed>) => setTyped({ ...typed, ...more });
  const add = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => {
      const made = await accounts.createAccount({
        accountId: id.trim(),
        displayName: displayName.trim(),
        role,
      });
      type({ id: '', displayName: '' });
      forget();
      return `${idOf(made.account?.name ?? '')} may sign in with the password ${made.generatedPassword}. It is shown only now.`;
    });
  };
  return (
    <form className="inline-form" onSubmit={add}>
      <label>
        Signs in as
        <input
          required
          pattern="[a-z0-9._\-]{1,40}"
          title="1 to 40 of a-z, 0-9, dot, underscore and hyphen"
          autoCapitalize="none"
          value={id}
          onChange={(event) => type({ id: event.target.value })}
        />
      </label>
      <label>
        Name
        <input
          maxLength={200}
          value={displayName}
          onChange={(event) => type({ displayName: event.target.value })}
        />
      </label>
      <label>
        Role
        <RoleSelect role={role} onChange={(next) => type({ role: next })} />
      </label>
      <button type="submit" className="primary">
        Add
      </button>
    </form>
  );
}

function RoleSelect(props: {
  role: Role;
  label?: string;
  onChange: (role: Role) => void;
}) {
  return (
    <select
      aria-label={props.label}
      value={props.role}
      onChange={(event) => props.onChange(Number(event.target.value))}
    >
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {roleText(role)}
        </option>
      ))}
    </select>
  );
}

function AccountRow({
  account,
  accounts,
  act,
  now,
}: Acting & { account: Account; now: number }) {
  const { name } = account;
  const id = idOf(name);
  const change = (role: Role) =>
    void act(async () => {
      await accounts.setAccountRole({ name, role });
      return `${id} is ${roleText(role)} from now on.`;
    });
  const reset = () =>
    void act(async () => {
      const { generatedPassword } = await accounts.setAccountPassword({ name });
      return `The new password of ${id} is ${generatedPassword}. It is shown only now.`;
    });
  const endSessions = () =>
    void act(async () => {
      await accounts.revokeSessions({ name });
      return `${id} is signed out everywhere.`;
    });
  const disable = () =>
    void act(async () => {
      await accounts.setAccountDisabled({ name, disabled: !account.disabled });
      return `${id} is ${account.disabled ? 'back in use' : 'out of use'}.`;
    });
  return (
    <tr>
      <td>
        <span className="mono">{id}</span> {cleanText(account.displayName)}
        {account.disabled && <span className="tag warn">out of use</span>}
      </td>
      <td>
        <RoleSelect
          label={`Role of ${id}`}
          role={account.role}
          onChange={change}
        />
      </td>
      <td>
        <Time at={account.signInTime} now={now} />
      </td>
      <td className="number">{account.sessionCount}</td>
      <td className="number">
        <SureButton
          text="New password"
          label={`New password for ${id}`}
          question={`The password of ${id} stops working.`}
          yes="Make a new one"
          onSure={reset}
        />
        {account.sessionCount > 0 && (
          <button type="button" className="quiet" onClick={endSessions}>
            Sign out
          </button>
        )}
        {account.disabled ? (
          <button
            type="button"
            className="quiet"
            aria-label={`Put back ${id}`}
            onClick={disable}
          >
            Put back
          </button>
        ) : (
          <SureButton
            text="Take out of use"
            label={`Take ${id} out of use`}
            question={`${id} is signed out and cannot come back.`}
            yes="Take out of use"
            onSure={disable}
          />
        )}
      </td>
    </tr>
  );
}
