// Somebody who pushes, by the calls that the pages make.
export class Candidate {
  #installation;
  #name;
  #assignment;
  #token = '';

  constructor(installation, name, assignment = 'orders-api') {
    this.#installation = installation;
    this.#name = name;
    this.#assignment = assignment;
  }

  get work() {
    return this.#installation.folder(this.#name);
  }

  async #call(method, message) {
    const answer = await fetch(
      `${this.#installation.origin}/assay.v1.${method}`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        },
        body: JSON.stringify(message),
      },
    );
    if (!answer.ok) throw new Error(`${method}: ${await answer.text()}`);
    return answer.json();
  }

  async begin() {
    const { link } = this.#installation.assay(
      ...['invite', this.#assignment, '--name', this.#name],
      ...['--email', `${this.#name}@example.org`],
    );
    const secret = link.split('#')[1];
    const accepted = await this.#call('InvitationService/AcceptInvitation', {
      secret,
    });
    this.#token = accepted.token;
    const name = 'attempts/me';
    await this.#call('AttemptService/StartAttempt', { name });
    const made = await this.#call('AttemptService/CreateGitToken', { name });
    const url = new URL(made.cloneUrl);
    url.username = made.username;
    url.password = made.password;
    this.#installation.git('/', 'clone', '--quiet', url.href, this.work);
  }

  // Resolves when the results have come.
  push() {
    const { work } = this;
    this.#installation.git(work, 'add', '-A');
    this.#installation.git(work, 'commit', '--quiet', '-m', 'Work');
    const push = this.#installation.gitInBackground(work, 'push', '-q');
    return new Promise((resolve) => push.once('exit', resolve));
  }

  async submit() {
    const attempt = 'attempts/me';
    await this.#call('SubmissionService/CreateSubmission', { attempt });
  }
}
