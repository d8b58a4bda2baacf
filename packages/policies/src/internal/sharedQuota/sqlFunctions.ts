/**
 * The functions that keep the leases of a shared quota in PostgreSQL. Each is one statement, so that nobody holds a lock
 * between two of them, and goes by the server's own clock, which it reads once it has the lock of the key.
 *
 * A row of `quota_state` is what all processes need to know of a key; a row of `quota_leases` is a lease, with the time
 * when its permit comes back, and how much sooner to a process that says the same of itself. Times are in milliseconds.
 */
import { allowanceWindows } from "./memoryStore.ts"

/** How long a key is kept after the last time that somebody asked for it, or after its pause, in milliseconds. */
const keep = 20 * 60_000

/** Whoever changes a function gives all of them another version: processes with the one before go on with theirs. */
const version = "v1"

/** The names in a schema. */
export const namesIn = (schema: string) => ({
  state: `"${schema}".quota_state`,
  leases: `"${schema}".quota_leases`,
  acquire: `"${schema}".quota_acquire_${version}`,
  release: `"${schema}".quota_release_${version}`,
  pause: `"${schema}".quota_pause_${version}`
})

type Names = ReturnType<typeof namesIn>

/** What each function begins with: the row of the key, the server's time, and the time that goes on. */
const declared = ({ state }: Names) => `#variable_conflict use_variable
DECLARE
  g ${state}%ROWTYPE;
  clock float8;
  t float8;
`

const millisOf = (time: string) => `(extract(epoch FROM ${time}) * 1000)::float8`

/** What each function is given first. */
const shared = `of_key text, most integer, win float8, grace float8`

/**
 * Locks the row of the key. Where there is none, what a server that has just been started lost may be under way. The time
 * never goes back, as far as anybody sees: where the server's clock was set back, it stands still.
 */
const start = ({ leases, state }: Names) => `
  SELECT * INTO g FROM ${state} s WHERE s.key = of_key FOR UPDATE;
  IF NOT FOUND THEN
    WITH old AS (
      SELECT s.key FROM ${state} s
      WHERE greatest(s.now, s.paused_until) < ${millisOf("clock_timestamp()")} - ${keep} FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM ${state} s WHERE s.key IN (SELECT old.key FROM old) RETURNING s.key
    )
    DELETE FROM ${leases} l WHERE l.key IN (SELECT gone.key FROM gone);
    INSERT INTO ${state} (key, server, paused_until)
      VALUES (of_key, pg_postmaster_start_time(), ${millisOf("pg_postmaster_start_time()")} + win + grace)
      ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING * INTO g;
  END IF;
  clock := ${millisOf("clock_timestamp()")};
  t := greatest(clock, g.now);
`

/**
 * A server that was told not to wait for its disk waits all the same for what must not be lost; also one that is told so
 * between the function and its commit.
 */
const durable = `
    PERFORM set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true);`

/** What is lost with the server makes nobody send too early. */
const unhurried = `PERFORM set_config('synchronous_commit', 'off', true);`

/**
 * Takes a lease, or says how long to wait. What a store lost, because it was emptied, restarted, restored or replaced by
 * its replica, may still be under way or counted: then it waits until that is over. Answers with the wait, 0 where a
 * lease was taken.
 */
const acquire = (names: Names) => `
CREATE OR REPLACE FUNCTION ${names.acquire}(
  ${shared}, lease text, hold float8, asked float8, spacing float8, is_known boolean, asker text,
  OUT wait float8, OUT at float8, OUT rejected_at float8, OUT rejected_spacing float8
) LANGUAGE plpgsql AS $quota$
${declared(names)}  allowance float8;
  taken integer;
  soonest float8;
BEGIN
  ${start(names)}
  IF t - clock > win + grace THEN
    DELETE FROM ${names.leases} l WHERE l.key = of_key;
    g.known := false;
    g.paused_until := 0;
    g.last_grant := 0;
    g.rejected_at := -1;
    g.smallest := 0;
    g.smallest_before := 0;
    g.smallest_from := 0;
    t := clock;
    is_known := true;
  END IF;
  IF (is_known AND NOT g.known) OR g.server <> pg_postmaster_start_time() THEN
    g.paused_until := greatest(g.paused_until, t + win + grace);
  END IF;

  -- The allowance for everybody: \`#allowanceOf\` of the store in memory has the reason.
  allowance := CASE WHEN asker = g.host THEN asked ELSE 0 END;
  IF t - g.smallest_from > ${allowanceWindows} * win THEN
    g.smallest_before := g.smallest;
    g.smallest := allowance;
    g.smallest_from := t;
  ELSE
    g.smallest := least(g.smallest, allowance);
  END IF;
  allowance := least(g.smallest, g.smallest_before);

  DELETE FROM ${names.leases} l WHERE l.key = of_key AND l.back <= t;
  wait := greatest(g.paused_until, g.last_grant + spacing) - t;
  SELECT count(*) INTO taken FROM ${names.leases} l WHERE l.key = of_key;
  IF taken >= most THEN
    SELECT l.back - least(l.allowance, allowance) INTO soonest FROM ${names.leases} l
      WHERE l.key = of_key ORDER BY 1 OFFSET taken - most LIMIT 1;
    -- Whatever is under way now may come back this soon.
    wait := greatest(wait, least(soonest - t, greatest(win - allowance, win / most)));
  END IF;
  IF wait <= 0 THEN
    INSERT INTO ${names.leases} VALUES (of_key, lease, t + hold, 0)
      ON CONFLICT (key, name) DO UPDATE SET back = excluded.back, allowance = excluded.allowance;
    g.last_grant := t;
    ${durable}
  ELSE
    ${unhurried}
  END IF;
  UPDATE ${names.state} s SET
    now = t, known = true, server = pg_postmaster_start_time(), paused_until = g.paused_until, last_grant = g.last_grant,
    rejected_at = g.rejected_at, smallest = g.smallest, smallest_before = g.smallest_before,
    smallest_from = g.smallest_from, host = asker
    WHERE s.key = of_key;
  wait := greatest(0, ceil(wait));
  at := t;
  rejected_at := g.rejected_at;
  rejected_spacing := g.rejected_spacing;
END $quota$;`

/** Ends a lease: removes it, or sets the time when its permit comes back. */
const release = (names: Names) => `
CREATE OR REPLACE FUNCTION ${names.release}(
  ${shared}, lease text, ago float8, delay float8, sooner float8, granted_at float8, spacing float8
) RETURNS void LANGUAGE plpgsql AS $quota$
${declared(names)}BEGIN
  ${start(names)}
  IF delay IS NULL THEN
    DELETE FROM ${names.leases} l WHERE l.key = of_key AND l.name = lease;
  ELSE
    INSERT INTO ${names.leases} VALUES (of_key, lease, t - ago + delay, sooner)
      ON CONFLICT (key, name) DO UPDATE SET back = excluded.back, allowance = excluded.allowance;
  END IF;
  IF granted_at IS NULL THEN
    ${unhurried}
  ELSE
    ${durable}
    UPDATE ${names.state} s SET
      now = t, paused_until = greatest(s.paused_until, t + win),
      rejected_at = CASE WHEN granted_at > s.rejected_at THEN t ELSE s.rejected_at END,
      rejected_spacing = CASE WHEN granted_at > s.rejected_at THEN spacing ELSE s.rejected_spacing END
      WHERE s.key = of_key;
  END IF;
END $quota$;`

/** Gives nobody a lease for a while. */
const pause = (names: Names) => `
CREATE OR REPLACE FUNCTION ${names.pause}(${shared}, millis float8) RETURNS void LANGUAGE plpgsql AS $quota$
${declared(names)}BEGIN
  ${start(names)}
  IF millis > 0 THEN
    ${durable}
    UPDATE ${names.state} s SET now = t, paused_until = greatest(s.paused_until, t + millis) WHERE s.key = of_key;
  END IF;
END $quota$;`

/**
 * Makes what is missing, as one statement. Of processes that begin together one makes it, and somebody else may make the
 * schema meanwhile. Updates find room on the page of their row, and no index knows what they change.
 */
export const create = (schema: string): string => {
  const names = namesIn(schema)
  return `DO $create$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('effect quota ${schema}', 0));
  IF to_regnamespace('"${schema}"') IS NULL THEN
    BEGIN
      CREATE SCHEMA "${schema}";
    EXCEPTION WHEN duplicate_schema OR unique_violation THEN NULL;
    END;
  END IF;
  IF to_regclass('${names.state}') IS NULL THEN
    CREATE TABLE ${names.state} (
      key text PRIMARY KEY,
      now float8 NOT NULL DEFAULT 0,
      known boolean NOT NULL DEFAULT false,
      server timestamptz NOT NULL,
      paused_until float8 NOT NULL,
      last_grant float8 NOT NULL DEFAULT 0,
      rejected_at float8 NOT NULL DEFAULT -1,
      rejected_spacing float8 NOT NULL DEFAULT 0,
      smallest float8 NOT NULL DEFAULT 0,
      smallest_before float8 NOT NULL DEFAULT 0,
      smallest_from float8 NOT NULL DEFAULT 0,
      host text NOT NULL DEFAULT ''
    ) WITH (fillfactor = 50);
  END IF;
  IF to_regclass('${names.leases}') IS NULL THEN
    CREATE TABLE ${names.leases} (
      key text NOT NULL,
      name text NOT NULL,
      back float8 NOT NULL,
      allowance float8 NOT NULL,
      PRIMARY KEY (key, name)
    ) WITH (fillfactor = 50);
  END IF;
  ${acquire(names)}
  ${release(names)}
  ${pause(names)}
END $create$`
}
