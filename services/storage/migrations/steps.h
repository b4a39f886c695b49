#ifndef ASSAY_SERVICES_STORAGE_MIGRATIONS_STEPS_H_
#define ASSAY_SERVICES_STORAGE_MIGRATIONS_STEPS_H_

#include <string_view>

namespace assay::storage {

// The statements of each step, as SQLite and PostgreSQL both take them: times
// are microseconds since 1970 in BIGINT, flags are BIGINT 0 or 1, enums have
// their proto's numbers.

inline constexpr std::string_view kStep1Initial[] = {
    // The current version of each assignment.
    R"(CREATE TABLE assignments (
         id TEXT PRIMARY KEY,
         version BIGINT NOT NULL,
         create_time BIGINT NOT NULL))",
    R"(CREATE INDEX assignments_by_time ON assignments (create_time, id))",
    R"(CREATE TABLE assignment_versions (
         assignment TEXT NOT NULL REFERENCES assignments (id),
         version BIGINT NOT NULL,
         spec BYTEA NOT NULL,
         template_commit TEXT NOT NULL,
         plan_digest TEXT NOT NULL,
         suite_digest TEXT NOT NULL,
         max_points DOUBLE PRECISION NOT NULL,
         check_count BIGINT NOT NULL,
         create_time BIGINT NOT NULL,
         PRIMARY KEY (assignment, version)))",

    R"(CREATE TABLE invitations (
         id TEXT PRIMARY KEY,
         assignment TEXT NOT NULL REFERENCES assignments (id),
         assignment_version BIGINT NOT NULL,
         candidate_name TEXT NOT NULL,
         candidate_email TEXT NOT NULL,
         secret_hash TEXT NOT NULL UNIQUE,
         state BIGINT NOT NULL,
         create_time BIGINT NOT NULL,
         expire_time BIGINT NOT NULL,
         attempt TEXT NOT NULL))",
    R"(CREATE INDEX invitations_by_time ON invitations (create_time, id))",
    R"(CREATE INDEX invitations_by_assignment
         ON invitations (assignment, create_time, id))",

    R"(CREATE TABLE attempts (
         id TEXT PRIMARY KEY,
         invitation TEXT NOT NULL,
         assignment TEXT NOT NULL REFERENCES assignments (id),
         assignment_version BIGINT NOT NULL,
         state BIGINT NOT NULL,
         candidate_name TEXT NOT NULL,
         candidate_email TEXT NOT NULL,
         repository TEXT NOT NULL,
         create_time BIGINT NOT NULL,
         start_time BIGINT,
         duration BIGINT NOT NULL,
         accommodation DOUBLE PRECISION NOT NULL,
         paused BIGINT NOT NULL,
         extended BIGINT NOT NULL,
         grace BIGINT NOT NULL,
         hard_close_time BIGINT,
         pause_time BIGINT,
         deadline BIGINT,
         cut_off_time BIGINT,
         clock_version BIGINT NOT NULL))",
    R"(CREATE INDEX attempts_by_time ON attempts (create_time, id))",
    R"(CREATE INDEX attempts_by_assignment
         ON attempts (assignment, create_time, id))",
    R"(CREATE UNIQUE INDEX attempts_by_repository
         ON attempts (repository) WHERE repository <> '')",
    // What the deadline's sweep reads: started attempts only.
    R"(CREATE INDEX attempts_by_cut_off
         ON attempts (cut_off_time) WHERE state = 2)",
    R"(CREATE TABLE clock_events (
         attempt TEXT NOT NULL REFERENCES attempts (id),
         version BIGINT NOT NULL,
         time BIGINT NOT NULL,
         kind TEXT NOT NULL,
         amount BIGINT NOT NULL,
         actor TEXT NOT NULL,
         reason TEXT NOT NULL,
         PRIMARY KEY (attempt, version)))",

    R"(CREATE TABLE repositories (
         id TEXT PRIMARY KEY,
         attempt TEXT NOT NULL,
         template_commit TEXT NOT NULL,
         create_time BIGINT NOT NULL))",
    R"(CREATE INDEX repositories_by_time ON repositories (create_time, id))",

    R"(CREATE TABLE pushes (
         id TEXT PRIMARY KEY,
         attempt TEXT NOT NULL REFERENCES attempts (id),
         repository TEXT NOT NULL,
         ref TEXT NOT NULL,
         old_commit TEXT NOT NULL,
         new_commit TEXT NOT NULL,
         receive_time BIGINT NOT NULL,
         state BIGINT NOT NULL,
         refusal TEXT NOT NULL,
         late BIGINT NOT NULL,
         run TEXT NOT NULL,
         subject TEXT NOT NULL,
         commit_time BIGINT))",
    R"(CREATE INDEX pushes_by_attempt ON pushes (attempt, receive_time, id))",
    // Intents without an end: what the reconciler reads at a start.
    R"(CREATE INDEX pushes_open ON pushes (receive_time, id)
         WHERE state = 1)",

    R"(CREATE TABLE submissions (
         attempt TEXT NOT NULL REFERENCES attempts (id),
         number BIGINT NOT NULL,
         commit_id TEXT NOT NULL,
         cause BIGINT NOT NULL,
         submit_time BIGINT NOT NULL,
         push_receive_time BIGINT,
         run TEXT NOT NULL,
         clock_version BIGINT NOT NULL,
         assignment_version BIGINT NOT NULL,
         PRIMARY KEY (attempt, number)))",

    R"(CREATE TABLE runs (
         id TEXT PRIMARY KEY,
         attempt TEXT NOT NULL,
         assignment TEXT NOT NULL,
         assignment_version BIGINT NOT NULL,
         kind BIGINT NOT NULL,
         priority BIGINT NOT NULL,
         commit_id TEXT NOT NULL,
         plan_digest TEXT NOT NULL,
         trace_id TEXT NOT NULL,
         seed BIGINT NOT NULL,
         push TEXT NOT NULL,
         submission BIGINT NOT NULL,
         queue_time BIGINT NOT NULL,
         state BIGINT NOT NULL,
         outcome BIGINT NOT NULL,
         outcome_reason TEXT NOT NULL,
         start_time BIGINT,
         finish_time BIGINT,
         score BYTEA,
         epoch BIGINT NOT NULL,
         worker TEXT NOT NULL,
         lease_expiry BIGINT,
         losses BIGINT NOT NULL,
         next_offset BIGINT NOT NULL,
         next_sequence BIGINT NOT NULL))",
    R"(CREATE INDEX runs_by_time ON runs (queue_time, id))",
    R"(CREATE INDEX runs_by_attempt ON runs (attempt, queue_time, id))",
    R"(CREATE INDEX runs_by_assignment ON runs (assignment, queue_time, id))",
    // The queue and the leases: small whatever the history.
    R"(CREATE INDEX runs_queued ON runs (priority DESC, queue_time, id)
         WHERE state = 1)",
    R"(CREATE INDEX runs_leased ON runs (lease_expiry) WHERE state = 2)",

    R"(CREATE TABLE run_events (
         run TEXT NOT NULL REFERENCES runs (id),
         sequence BIGINT NOT NULL,
         epoch BIGINT NOT NULL,
         kind BIGINT NOT NULL,
         content BYTEA NOT NULL,
         PRIMARY KEY (run, sequence)))",
    R"(CREATE TABLE check_results (
         run TEXT NOT NULL REFERENCES runs (id),
         epoch BIGINT NOT NULL,
         check_id TEXT NOT NULL,
         sequence BIGINT NOT NULL,
         content BYTEA NOT NULL,
         PRIMARY KEY (run, epoch, check_id)))",

    R"(CREATE TABLE tokens (
         id TEXT PRIMARY KEY,
         hash TEXT NOT NULL UNIQUE,
         role BIGINT NOT NULL,
         label TEXT NOT NULL,
         scope BIGINT NOT NULL,
         attempt TEXT NOT NULL,
         repository TEXT NOT NULL,
         create_time BIGINT NOT NULL,
         expire_time BIGINT,
         revoke_time BIGINT))",
    R"(CREATE INDEX tokens_by_attempt ON tokens (attempt)
         WHERE attempt <> '')",

    R"(CREATE TABLE requests (
         caller TEXT NOT NULL,
         method TEXT NOT NULL,
         id TEXT NOT NULL,
         digest TEXT NOT NULL,
         response BYTEA NOT NULL,
         create_time BIGINT NOT NULL,
         PRIMARY KEY (caller, method, id)))",
    R"(CREATE INDEX requests_by_time ON requests (create_time))",

    R"(CREATE TABLE audit_log (
         sequence BIGINT PRIMARY KEY,
         time BIGINT NOT NULL,
         actor TEXT NOT NULL,
         action TEXT NOT NULL,
         subject TEXT NOT NULL,
         detail TEXT NOT NULL,
         previous_hash TEXT NOT NULL,
         hash TEXT NOT NULL))",
};

// Questions, decisions, erasure, and accommodations that come with an
// invitation.
inline constexpr std::string_view kStep2Decisions[] = {
    R"(CREATE TABLE decisions (
         attempt TEXT NOT NULL REFERENCES attempts (id),
         number BIGINT NOT NULL,
         outcome BIGINT NOT NULL,
         reason TEXT NOT NULL,
         feedback TEXT NOT NULL,
         feedback_released BIGINT NOT NULL,
         decider TEXT NOT NULL,
         decide_time BIGINT NOT NULL,
         PRIMARY KEY (attempt, number)))",
    R"(CREATE TABLE questions (
         id TEXT PRIMARY KEY,
         attempt TEXT NOT NULL REFERENCES attempts (id),
         assignment TEXT NOT NULL REFERENCES assignments (id),
         text TEXT NOT NULL,
         ask_time BIGINT NOT NULL,
         answer TEXT NOT NULL,
         answer_time BIGINT,
         shared BIGINT NOT NULL,
         paused BIGINT NOT NULL))",
    R"(CREATE INDEX questions_by_attempt ON questions (attempt, ask_time, id))",
    R"(CREATE INDEX questions_by_assignment
         ON questions (assignment, ask_time, id))",
    R"(ALTER TABLE attempts ADD COLUMN erase_time BIGINT)",
    R"(ALTER TABLE invitations
         ADD COLUMN accommodation DOUBLE PRECISION NOT NULL DEFAULT 1)",
};

// An order for pushes that a clock cannot give: two may be received in the same
// microsecond, and a clock may be set back between two.
inline constexpr std::string_view kStep3PushSequence[] = {
    R"(ALTER TABLE pushes ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0)",
    R"(UPDATE pushes SET sequence = (
         SELECT COUNT(*) FROM pushes AS earlier
         WHERE earlier.attempt = pushes.attempt
           AND (earlier.receive_time < pushes.receive_time
             OR (earlier.receive_time = pushes.receive_time
               AND earlier.id <= pushes.id))))",
    R"(DROP INDEX pushes_by_attempt)",
    R"(CREATE UNIQUE INDEX pushes_by_sequence ON pushes (attempt, sequence))",
};

// What a candidate says about tools, fixes of templates that were offered, and
// messages that wait to be sent.
inline constexpr std::string_view kStep4Notifications[] = {
    R"(ALTER TABLE submissions
         ADD COLUMN ai_statement TEXT NOT NULL DEFAULT '')",
    R"(CREATE TABLE template_offers (
         attempt TEXT NOT NULL REFERENCES attempts (id),
         version BIGINT NOT NULL,
         branch TEXT NOT NULL,
         commit_id TEXT NOT NULL,
         offer_time BIGINT NOT NULL,
         PRIMARY KEY (attempt, version)))",
    R"(CREATE TABLE notifications (
         id TEXT PRIMARY KEY,
         topic TEXT NOT NULL,
         channel BIGINT NOT NULL,
         state BIGINT NOT NULL,
         recipient TEXT NOT NULL,
         subject TEXT NOT NULL,
         body TEXT NOT NULL,
         attempt TEXT NOT NULL,
         create_time BIGINT NOT NULL,
         send_time BIGINT,
         tries BIGINT NOT NULL,
         next_try_time BIGINT NOT NULL,
         problem TEXT NOT NULL))",
    R"(CREATE INDEX notifications_by_time ON notifications (create_time, id))",
    R"(CREATE INDEX notifications_by_attempt ON notifications (attempt))",
    // The outbox: small whatever was sent.
    R"(CREATE INDEX notifications_waiting ON notifications (next_try_time)
         WHERE state = 1)",
    R"(CREATE TABLE reminders (
         attempt TEXT NOT NULL REFERENCES attempts (id),
         deadline BIGINT NOT NULL,
         before BIGINT NOT NULL,
         PRIMARY KEY (attempt, deadline, before)))",
};

// Links that candidates had mailed again, beside the one of the invitation.
inline constexpr std::string_view kStep5Links[] = {
    R"(CREATE TABLE invitation_links (
         secret_hash TEXT PRIMARY KEY,
         invitation TEXT NOT NULL REFERENCES invitations (id),
         create_time BIGINT NOT NULL))",
    R"(CREATE INDEX invitation_links_by_invitation
         ON invitation_links (invitation, create_time))",
    R"(CREATE INDEX invitations_by_email
         ON invitations (LOWER(candidate_email)))",
};

// People who sign in with a password, and the browsers that they did it in.
inline constexpr std::string_view kStep6Accounts[] = {
    R"(CREATE TABLE accounts (
         id TEXT PRIMARY KEY,
         display_name TEXT NOT NULL,
         role BIGINT NOT NULL,
         password_hash TEXT NOT NULL,
         disabled BIGINT NOT NULL,
         create_time BIGINT NOT NULL,
         password_time BIGINT NOT NULL,
         sign_in_time BIGINT))",
    R"(CREATE TABLE sessions (
         hash TEXT PRIMARY KEY,
         account TEXT NOT NULL REFERENCES accounts (id),
         create_time BIGINT NOT NULL,
         use_time BIGINT NOT NULL,
         expire_time BIGINT NOT NULL,
         peer TEXT NOT NULL))",
    R"(CREATE INDEX sessions_by_account ON sessions (account))",
    // What a person has to look at: few, whatever the history.
    R"(CREATE INDEX runs_errored ON runs (finish_time)
         WHERE state = 3 AND outcome = 7)",
};

// Machines that execute runs, and who of them gets any; whose turn it is.
inline constexpr std::string_view kStep7Workers[] = {
    R"(CREATE TABLE workers (
         name TEXT PRIMARY KEY,
         state BIGINT NOT NULL,
         reason TEXT NOT NULL,
         actor TEXT NOT NULL,
         state_time BIGINT NOT NULL,
         version TEXT NOT NULL,
         cores BIGINT NOT NULL,
         memory BIGINT NOT NULL,
         attach_time BIGINT NOT NULL,
         faults BIGINT NOT NULL,
         fault_run TEXT NOT NULL,
         fault TEXT NOT NULL))",
    R"(CREATE INDEX runs_queued_of ON runs
         (assignment, priority DESC, queue_time, id) WHERE state = 1)",
    R"(CREATE INDEX runs_leased_of ON runs (assignment) WHERE state = 2)",
};

// Coordinators that share the store, where each repository is, and from which
// bundle it can be made again elsewhere. Templates' files stand in the blob
// store, so that every coordinator can make them.
inline constexpr std::string_view kStep8Nodes[] = {
    R"(CREATE TABLE nodes (
         name TEXT PRIMARY KEY,
         instance TEXT NOT NULL,
         grpc_address TEXT NOT NULL,
         web_address TEXT NOT NULL,
         version TEXT NOT NULL,
         start_time BIGINT NOT NULL,
         heartbeat BIGINT NOT NULL,
         draining BIGINT NOT NULL,
         load BYTEA))",
    R"(ALTER TABLE repositories ADD COLUMN home TEXT NOT NULL DEFAULT '')",
    R"(ALTER TABLE repositories
         ADD COLUMN generation BIGINT NOT NULL DEFAULT 0)",
    R"(ALTER TABLE repositories ADD COLUMN bundle TEXT NOT NULL DEFAULT '')",
    R"(ALTER TABLE repositories
         ADD COLUMN bundle_tips TEXT NOT NULL DEFAULT '')",
    R"(CREATE INDEX repositories_by_home ON repositories (home, id))",
    R"(CREATE TABLE template_files (
         commit_id TEXT PRIMARY KEY,
         digest TEXT NOT NULL))",
    R"(CREATE TABLE shared_secrets (
         name TEXT PRIMARY KEY,
         value TEXT NOT NULL))",
};

// What runs ask of workers, and what workers offer.
inline constexpr std::string_view kStep9Needs[] = {
    // Of the plan, so that no run has to read it to be queued.
    R"(ALTER TABLE assignment_versions
         ADD COLUMN milli_cpus BIGINT NOT NULL DEFAULT 0)",
    R"(ALTER TABLE assignment_versions
         ADD COLUMN memory BIGINT NOT NULL DEFAULT 0)",
    // The assignment and what its runs need: those of a lane can be told apart
    // by nothing but their turn.
    R"(ALTER TABLE runs ADD COLUMN lane TEXT NOT NULL DEFAULT '')",
    R"(ALTER TABLE runs ADD COLUMN at_once BIGINT NOT NULL DEFAULT 0)",
    R"(UPDATE runs SET lane = assignment WHERE state = 1 OR state = 2)",
    R"(DROP INDEX runs_queued_of)",
    R"(CREATE INDEX runs_queued_in ON runs
         (lane, priority DESC, queue_time, id) WHERE state = 1)",
    R"(CREATE INDEX runs_leased_for ON runs (attempt) WHERE state = 2)",
    R"(ALTER TABLE workers ADD COLUMN offer TEXT NOT NULL DEFAULT '')",
};

// Workers of other machines: who may enrol, and whose certificate counts.
inline constexpr std::string_view kStep10Enrolment[] = {
    R"(CREATE TABLE worker_enrolments (
         hash TEXT PRIMARY KEY,
         worker TEXT NOT NULL,
         actor TEXT NOT NULL,
         create_time BIGINT NOT NULL,
         expire_time BIGINT NOT NULL,
         use_time BIGINT))",
    R"(CREATE TABLE worker_certificates (
         fingerprint TEXT PRIMARY KEY,
         worker TEXT NOT NULL,
         create_time BIGINT NOT NULL,
         expire_time BIGINT NOT NULL,
         revoke_time BIGINT))",
    R"(CREATE INDEX worker_certificates_of ON worker_certificates (worker))",
    R"(CREATE TABLE worker_authorities (
         fingerprint TEXT PRIMARY KEY,
         pem TEXT NOT NULL,
         create_time BIGINT NOT NULL))",
};

// An assignment has one attempt at most that is nobody's try, but its author's
// solution.
inline constexpr std::string_view kStep11Reference[] = {
    R"(ALTER TABLE attempts ADD COLUMN reference BIGINT NOT NULL DEFAULT 0)",
    R"(CREATE UNIQUE INDEX attempts_reference
         ON attempts (assignment) WHERE reference = 1)",
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_MIGRATIONS_STEPS_H_
