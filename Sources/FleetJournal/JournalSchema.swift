import GRDB

/// The tables of the journal, one migration per change. A released migration is never edited.
///
/// What must not be is refused here and not only in code: an event without a run, a second start, a step intended twice in
/// one attempt, the end of a step or of a hook without its intent, anything after the end, any change of what was written, a note
/// twice in a row.
enum JournalSchema {
    /// Marks the file as a journal of Fleet in SQLite's header: "Flee".
    static let applicationID: Int64 = 0x466c_6565

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try $0.execute(sql: first) }
        migrator.registerMigration("2") { try $0.execute(sql: endOfEachTry) }
        migrator.registerMigration("3") { try $0.execute(sql: importedNotes) }
        migrator.registerMigration("4") { try $0.execute(sql: answers) }
        migrator.registerMigration("5") { try $0.execute(sql: acknowledgements) }
        migrator.registerMigration("6") { try $0.execute(sql: hooks) }
        return migrator
    }

    /// A step that ended and is begun once more in the same attempt (a second repair of packages) ends once more.
    private static let endOfEachTry = """
        DROP INDEX one_step_end;
        CREATE TRIGGER one_step_end_of_a_try BEFORE INSERT ON events
        WHEN NEW.kind = 'step-ended' AND EXISTS (
            SELECT 1 FROM events AS ended
            WHERE run = NEW.run AND attempt = NEW.attempt AND host = NEW.host AND step = NEW.step AND kind = 'step-ended'
                AND NOT EXISTS (
                    SELECT 1 FROM events WHERE run = NEW.run AND sequence > ended.sequence AND host = NEW.host AND step = NEW.step
                        AND kind = 'step-repeated'))
        BEGIN SELECT RAISE(ABORT, 'this try of the step has ended'); END;
        """

    /// Hooks on the coordinator. As for "4", the events move to a new table: its checks name the kinds.
    private static let hooks = """
        CREATE TABLE events_with_hooks (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            run TEXT NOT NULL REFERENCES runs (id),
            attempt INTEGER NOT NULL CHECK (attempt >= 1),
            at TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN (
                'pause-started', 'approval-needed', 'approved', 'host-held-back',
                'run-started', 'run-resumed', 'wave-started', 'host-started', 'baseline-taken', 'state-saved', 'link-lost',
                'link-restored', 'step-intended', 'step-repeated', 'step-started', 'step-progress', 'step-ended', 'step-awaited',
                'step-answered', 'host-ended', 'hook-intended', 'hook-ended', 'rollout-stopped', 'interrupted', 'run-ended',
                'command-run')),
            host TEXT,
            step TEXT,
            body TEXT NOT NULL CHECK (json_valid(body)),
            -- A hook is called for a host, or for a wave or the run.
            CHECK (kind IN ('hook-intended', 'hook-ended') OR (host IS NOT NULL) = (kind IN (
                'host-held-back', 'host-started', 'baseline-taken', 'state-saved', 'link-lost', 'link-restored', 'step-intended', 'step-repeated',
                'step-started', 'step-progress', 'step-ended', 'step-awaited', 'step-answered', 'host-ended'))),
            CHECK ((step IS NOT NULL) = (kind IN (
                'step-intended', 'step-repeated', 'step-started', 'step-progress', 'step-ended', 'step-awaited',
                'step-answered')))
        ) STRICT;

        INSERT INTO events_with_hooks SELECT * FROM events;
        DROP TABLE events;
        ALTER TABLE events_with_hooks RENAME TO events;

        CREATE INDEX events_of_run ON events (run, sequence);
        CREATE UNIQUE INDEX one_start ON events (run) WHERE kind IN ('run-started', 'command-run');
        CREATE UNIQUE INDEX one_end ON events (run, attempt) WHERE kind = 'run-ended';
        CREATE UNIQUE INDEX one_intent ON events (run, attempt, host, step) WHERE kind = 'step-intended';

        CREATE TRIGGER one_step_end_of_a_try BEFORE INSERT ON events
        WHEN NEW.kind = 'step-ended' AND EXISTS (
            SELECT 1 FROM events AS ended
            WHERE run = NEW.run AND attempt = NEW.attempt AND host = NEW.host AND step = NEW.step AND kind = 'step-ended'
                AND NOT EXISTS (
                    SELECT 1 FROM events WHERE run = NEW.run AND sequence > ended.sequence AND host = NEW.host AND step = NEW.step
                        AND kind = 'step-repeated'))
        BEGIN SELECT RAISE(ABORT, 'this try of the step has ended'); END;

        CREATE TRIGGER start_comes_first BEFORE INSERT ON events
        WHEN NEW.kind NOT IN ('run-started', 'command-run')
            AND NOT EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND kind IN ('run-started', 'command-run'))
        BEGIN SELECT RAISE(ABORT, 'the run has not started'); END;

        -- Approvals and answers come from outside, also once the attempt that asked for them has ended.
        CREATE TRIGGER nothing_after_the_end BEFORE INSERT ON events
        WHEN (NEW.kind NOT IN ('approved', 'step-answered')
                AND EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND attempt = NEW.attempt AND kind = 'run-ended'))
            OR EXISTS (SELECT 1 FROM runs WHERE id = NEW.run AND kind = 'exec' AND NEW.kind <> 'command-run')
        BEGIN SELECT RAISE(ABORT, 'the run has ended'); END;

        CREATE TRIGGER intent_before_step BEFORE INSERT ON events
        WHEN NEW.kind IN ('step-repeated', 'step-started', 'step-progress', 'step-ended')
            AND NOT EXISTS (
                SELECT 1 FROM events WHERE run = NEW.run AND attempt <= NEW.attempt AND host = NEW.host
                    AND step = NEW.step AND kind = 'step-intended')
        BEGIN SELECT RAISE(ABORT, 'the step was not intended'); END;

        CREATE TRIGGER approved_when_asked BEFORE INSERT ON events
        WHEN NEW.kind = 'approved' AND NOT EXISTS (
            SELECT 1 FROM events WHERE run = NEW.run AND kind = 'approval-needed'
                AND json_extract(body, '$.approvalNeeded.wave') = json_extract(NEW.body, '$.approved.wave'))
        BEGIN SELECT RAISE(ABORT, 'nobody asked for this approval'); END;

        CREATE TRIGGER answered_when_asked BEFORE INSERT ON events
        WHEN NEW.kind = 'step-answered' AND NOT EXISTS (
            SELECT 1 FROM events WHERE run = NEW.run AND host = NEW.host AND step = NEW.step AND kind IN ('step-awaited', 'step-ended'))
        BEGIN SELECT RAISE(ABORT, 'nobody asked about this step'); END;

        CREATE TRIGGER intent_before_hook BEFORE INSERT ON events
        WHEN NEW.kind = 'hook-ended' AND NOT EXISTS (
            SELECT 1 FROM events WHERE run = NEW.run AND attempt = NEW.attempt AND kind = 'hook-intended'
                AND json_extract(body, '$.hookIntended.moment') = json_extract(NEW.body, '$.hookEnded.moment'))
        BEGIN SELECT RAISE(ABORT, 'the hook was not intended'); END;

        CREATE TRIGGER events_are_final BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        CREATE TRIGGER events_stay BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        """

    /// Steps that a person does and answers for. A check of a table cannot be changed, so the events move to a new one.
    private static let answers = """
        CREATE TABLE events_with_answers (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            run TEXT NOT NULL REFERENCES runs (id),
            attempt INTEGER NOT NULL CHECK (attempt >= 1),
            at TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN (
                'pause-started', 'approval-needed', 'approved', 'host-held-back',
                'run-started', 'run-resumed', 'wave-started', 'host-started', 'baseline-taken', 'state-saved', 'link-lost',
                'link-restored', 'step-intended', 'step-repeated', 'step-started', 'step-progress', 'step-ended', 'step-awaited',
                'step-answered', 'host-ended', 'rollout-stopped', 'interrupted', 'run-ended', 'command-run')),
            host TEXT,
            step TEXT,
            body TEXT NOT NULL CHECK (json_valid(body)),
            CHECK ((host IS NOT NULL) = (kind IN (
                'host-held-back', 'host-started', 'baseline-taken', 'state-saved', 'link-lost', 'link-restored', 'step-intended', 'step-repeated',
                'step-started', 'step-progress', 'step-ended', 'step-awaited', 'step-answered', 'host-ended'))),
            CHECK ((step IS NOT NULL) = (kind IN (
                'step-intended', 'step-repeated', 'step-started', 'step-progress', 'step-ended', 'step-awaited',
                'step-answered')))
        ) STRICT;

        INSERT INTO events_with_answers SELECT * FROM events;
        DROP TABLE events;
        ALTER TABLE events_with_answers RENAME TO events;

        CREATE INDEX events_of_run ON events (run, sequence);
        CREATE UNIQUE INDEX one_start ON events (run) WHERE kind IN ('run-started', 'command-run');
        CREATE UNIQUE INDEX one_end ON events (run, attempt) WHERE kind = 'run-ended';
        CREATE UNIQUE INDEX one_intent ON events (run, attempt, host, step) WHERE kind = 'step-intended';

        CREATE TRIGGER one_step_end_of_a_try BEFORE INSERT ON events
        WHEN NEW.kind = 'step-ended' AND EXISTS (
            SELECT 1 FROM events AS ended
            WHERE run = NEW.run AND attempt = NEW.attempt AND host = NEW.host AND step = NEW.step AND kind = 'step-ended'
                AND NOT EXISTS (
                    SELECT 1 FROM events WHERE run = NEW.run AND sequence > ended.sequence AND host = NEW.host AND step = NEW.step
                        AND kind = 'step-repeated'))
        BEGIN SELECT RAISE(ABORT, 'this try of the step has ended'); END;

        CREATE TRIGGER start_comes_first BEFORE INSERT ON events
        WHEN NEW.kind NOT IN ('run-started', 'command-run')
            AND NOT EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND kind IN ('run-started', 'command-run'))
        BEGIN SELECT RAISE(ABORT, 'the run has not started'); END;

        -- Approvals and answers come from outside, also once the attempt that asked for them has ended.
        CREATE TRIGGER nothing_after_the_end BEFORE INSERT ON events
        WHEN (NEW.kind NOT IN ('approved', 'step-answered')
                AND EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND attempt = NEW.attempt AND kind = 'run-ended'))
            OR EXISTS (SELECT 1 FROM runs WHERE id = NEW.run AND kind = 'exec' AND NEW.kind <> 'command-run')
        BEGIN SELECT RAISE(ABORT, 'the run has ended'); END;

        CREATE TRIGGER intent_before_step BEFORE INSERT ON events
        WHEN NEW.kind IN ('step-repeated', 'step-started', 'step-progress', 'step-ended')
            AND NOT EXISTS (
                SELECT 1 FROM events WHERE run = NEW.run AND attempt <= NEW.attempt AND host = NEW.host
                    AND step = NEW.step AND kind = 'step-intended')
        BEGIN SELECT RAISE(ABORT, 'the step was not intended'); END;

        CREATE TRIGGER approved_when_asked BEFORE INSERT ON events
        WHEN NEW.kind = 'approved' AND NOT EXISTS (
            SELECT 1 FROM events WHERE run = NEW.run AND kind = 'approval-needed'
                AND json_extract(body, '$.approvalNeeded.wave') = json_extract(NEW.body, '$.approved.wave'))
        BEGIN SELECT RAISE(ABORT, 'nobody asked for this approval'); END;

        CREATE TRIGGER answered_when_asked BEFORE INSERT ON events
        WHEN NEW.kind = 'step-answered' AND NOT EXISTS (
            SELECT 1 FROM events WHERE run = NEW.run AND host = NEW.host AND step = NEW.step AND kind IN ('step-awaited', 'step-ended'))
        BEGIN SELECT RAISE(ABORT, 'nobody asked about this step'); END;

        CREATE TRIGGER events_are_final BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        CREATE TRIGGER events_stay BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        """

    private static let first = """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 20),
            kind TEXT NOT NULL CHECK (kind IN ('upgrade', 'exec')),
            started TEXT NOT NULL,
            -- Raised by a resume; a step may be intended once per attempt.
            attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),
            -- The whole plan file, byte for byte, so that another machine can go on with the run.
            plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
            plan_digest TEXT,
            CHECK ((kind = 'upgrade') = (plan IS NOT NULL)),
            CHECK ((plan IS NULL) = (plan_digest IS NULL))
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            run TEXT NOT NULL REFERENCES runs (id),
            attempt INTEGER NOT NULL CHECK (attempt >= 1),
            at TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN (
                'pause-started', 'approval-needed', 'approved', 'host-held-back',
                'run-started', 'run-resumed', 'wave-started', 'host-started', 'baseline-taken', 'state-saved', 'link-lost',
                'link-restored', 'step-intended', 'step-repeated', 'step-started', 'step-progress', 'step-ended', 'host-ended',
                'rollout-stopped', 'interrupted', 'run-ended', 'command-run')),
            host TEXT,
            step TEXT,
            body TEXT NOT NULL CHECK (json_valid(body)),
            CHECK ((host IS NOT NULL) = (kind IN (
                'host-held-back', 'host-started', 'baseline-taken', 'state-saved', 'link-lost', 'link-restored', 'step-intended', 'step-repeated',
                'step-started', 'step-progress', 'step-ended', 'host-ended'))),
            CHECK ((step IS NOT NULL) = (kind IN (
                'step-intended', 'step-repeated', 'step-started', 'step-progress', 'step-ended')))
        ) STRICT;

        CREATE INDEX events_of_run ON events (run, sequence);
        CREATE UNIQUE INDEX one_start ON events (run) WHERE kind IN ('run-started', 'command-run');
        CREATE UNIQUE INDEX one_end ON events (run, attempt) WHERE kind = 'run-ended';
        CREATE UNIQUE INDEX one_intent ON events (run, attempt, host, step) WHERE kind = 'step-intended';
        CREATE UNIQUE INDEX one_step_end ON events (run, attempt, host, step) WHERE kind = 'step-ended';

        CREATE TRIGGER start_comes_first BEFORE INSERT ON events
        WHEN NEW.kind NOT IN ('run-started', 'command-run')
            AND NOT EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND kind IN ('run-started', 'command-run'))
        BEGIN SELECT RAISE(ABORT, 'the run has not started'); END;

        -- An approval comes from outside, once the attempt that asked for it has ended.
        CREATE TRIGGER nothing_after_the_end BEFORE INSERT ON events
        WHEN (NEW.kind <> 'approved'
                AND EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND attempt = NEW.attempt AND kind = 'run-ended'))
            OR EXISTS (SELECT 1 FROM runs WHERE id = NEW.run AND kind = 'exec' AND NEW.kind <> 'command-run')
        BEGIN SELECT RAISE(ABORT, 'the run has ended'); END;

        CREATE TRIGGER intent_before_step BEFORE INSERT ON events
        WHEN NEW.kind IN ('step-repeated', 'step-started', 'step-progress', 'step-ended')
            AND NOT EXISTS (
                SELECT 1 FROM events WHERE run = NEW.run AND attempt <= NEW.attempt AND host = NEW.host
                    AND step = NEW.step AND kind = 'step-intended')
        BEGIN SELECT RAISE(ABORT, 'the step was not intended'); END;

        CREATE TRIGGER approved_when_asked BEFORE INSERT ON events
        WHEN NEW.kind = 'approved' AND NOT EXISTS (
            SELECT 1 FROM events WHERE run = NEW.run AND kind = 'approval-needed'
                AND json_extract(body, '$.approvalNeeded.wave') = json_extract(NEW.body, '$.approved.wave'))
        BEGIN SELECT RAISE(ABORT, 'nobody asked for this approval'); END;

        CREATE TRIGGER events_are_final BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        CREATE TRIGGER events_stay BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        CREATE TRIGGER runs_are_final BEFORE UPDATE OF id, kind, started, plan, plan_digest ON runs
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        CREATE TRIGGER runs_stay BEFORE DELETE ON runs
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        """

    private static let importedNotes = """
        CREATE TABLE notes (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            version TEXT NOT NULL CHECK (length(version) BETWEEN 5 AND 14),
            imported_at TEXT NOT NULL,
            -- Of the file's bytes, which are those of the text.
            sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
            -- What was read out of it then.
            facts TEXT NOT NULL CHECK (json_valid(facts)),
            text TEXT NOT NULL
        ) STRICT;

        CREATE INDEX notes_of_version ON notes (version, sequence);

        CREATE TRIGGER notes_that_changed BEFORE INSERT ON notes
        WHEN NEW.sha256 = (SELECT sha256 FROM notes WHERE version = NEW.version ORDER BY sequence DESC LIMIT 1)
        BEGIN SELECT RAISE(ABORT, 'this text was imported last, too'); END;

        CREATE TRIGGER notes_are_final BEFORE UPDATE ON notes
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        CREATE TRIGGER notes_stay BEFORE DELETE ON notes
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        """

    /// Who has read which text of a release.
    private static let acknowledgements = """
        CREATE TABLE acknowledgements (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            version TEXT NOT NULL CHECK (length(version) BETWEEN 5 AND 14),
            -- Of all there is to read: the entry of the catalogue and the note.
            sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
            person TEXT NOT NULL CHECK (length(person) BETWEEN 1 AND 100),
            at TEXT NOT NULL,
            until TEXT
        ) STRICT;

        CREATE TRIGGER acknowledgements_are_final BEFORE UPDATE ON acknowledgements
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        CREATE TRIGGER acknowledgements_stay BEFORE DELETE ON acknowledgements
        BEGIN SELECT RAISE(ABORT, 'what was written stays'); END;
        """
}
