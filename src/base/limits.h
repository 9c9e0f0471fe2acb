/* Bounds on everything that comes from outside. A test reads this file beside the man page. */
#ifndef COFFERDAM_BASE_LIMITS_H
#define COFFERDAM_BASE_LIMITS_H

enum {
    LIMIT_STARTUP_BYTES = 10000,        /* startup packet, as PostgreSQL's own bound */
    LIMIT_PASSWORD_BYTES = 16 * 1024,   /* a token may be the password */
    LIMIT_MESSAGE_BYTES = 1024 * 1024,  /* any message from a partner */
    LIMIT_ROW_BYTES = 64 * 1024 * 1024, /* one DataRow from upstream, hidden keys included */
    LIMIT_STATEMENT_BYTES = 16 * 1024,  /* text of a statement, default of a setting */
    LIMIT_CATALOGUE_BYTES = 64 * 1024,  /* text of a statement over the system catalogs alone */
    LIMIT_STATEMENT_DEPTH = 200,        /* nesting of the parse tree */
    LIMIT_PARAMETERS = 1000,            /* $n in a statement */
    LIMIT_PREPARED_STATEMENTS = 1000,   /* named statements a session */
    LIMIT_PORTALS = 100,                /* named portals a session */
    LIMIT_CURSORS = 100,                /* cursors a session, default of a setting */
    LIMIT_CHANGES = 100000,             /* statements that change rows, in one transaction */
    LIMIT_STATEMENTS_IN_TEXT = 100,     /* of one simple query */
    LIMIT_PENDING_REPLIES = 10000,      /* pipelined messages not yet answered */
    LIMIT_RELATIONS = 64,               /* datasets and sub-selects in one statement */
    LIMIT_TARGETS = 500,                /* output columns, hidden ones included */
    LIMIT_OUT_HIGH_WATER = 512 * 1024,  /* queued for a client before upstream is paused */
    LIMIT_BATCH_BYTES = 128 * 1024,     /* rows gathered under one ledger entry */
    LIMIT_BATCH_SUBJECTS = 16384,       /* subjects gathered under one ledger entry */
    LIMIT_LEDGER_ENTRY_BYTES = 60000,   /* tlog-tiles: an entry is at most 65,535 bytes */
    LIMIT_SUBJECT_KEY_BYTES = 255,
    LIMIT_NAME_BYTES = 63, /* identifiers, as PostgreSQL's NAMEDATALEN - 1 */
};

#endif
