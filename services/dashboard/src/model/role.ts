import { Role } from '../gen/assay/v1/access_pb';

export function roleText(role: Role): string {
  switch (role) {
    case Role.ADMIN:
      return 'admin';
    case Role.AUTHOR:
      return 'author';
    case Role.REVIEWER:
      return 'reviewer';
    case Role.OBSERVER:
      return 'observer';
    case Role.CANDIDATE:
      return 'candidate';
    case Role.WORKER:
      return 'worker';
    case Role.NODE:
      return 'node';
    case Role.UNSPECIFIED:
      return '';
  }
}

// Whether somebody of this role writes assignments and invites. The server
// decides; pages leave out what it would refuse.
export function writes(role: Role | undefined): boolean {
  return role === Role.ADMIN || role === Role.AUTHOR;
}

// Whether they may see single attempts and runs.
export function sees(role: Role | undefined): boolean {
  return writes(role) || role === Role.REVIEWER;
}
