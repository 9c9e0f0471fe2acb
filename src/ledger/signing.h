/* Signs what the log says of itself. One key is in force, named by the log's last LEDGER_KEY entry;
 * its file and log.vkey follow the log, never the other way round, so that a crash between any two
 * steps leaves what the next start completes. Invariant: a text is signed over durable data only,
 * sizes never go back, one size has one root (recovery holds the tree against the newest stored
 * checkpoint, and a tree in memory only grows). Threads: one lock around each signature and each
 * change of key; asks the log under it, so call with none of the writer's locks held. */
#ifndef COFFERDAM_LEDGER_SIGNING_H
#define COFFERDAM_LEDGER_SIGNING_H

#include <pthread.h>
#include <stdbool.h>

#include "ledger/checkpoint.h"
#include "ledger/key_change.h"
#include "ledger/segment.h"

enum { SIGNING_PATH_ROOM = 4096 };

/* The log, as far as it is needed here. */
struct signing_log {
    /* A LEDGER_KEY entry with this text; durable, and in the chain, when it returns. */
    enum status (*append)(void *context, struct slice text, struct error *error);
    void (*progress)(void *context, struct checkpoint *progress); /* durable size and root */
    void *context;
};

/* What signing_open found, and signing_settle does. */
enum signing_step {
    SIGNING_OFF,    /* no key is configured: checkpoints are not signed */
    SIGNING_READY,  /* the key file holds the key in force */
    SIGNING_FIRST,  /* the log has no key yet */
    SIGNING_FINISH, /* a change of key is in the log, but not yet in the files */
    SIGNING_BREAK,  /* the key was lost, and staff have said that it shall be replaced */
};

struct signing {
    pthread_mutex_t mutex;
    const char *folder; /* borrowed, as is the reason */
    const char *break_reason;
    char path[SIGNING_PATH_ROOM]; /* of the key file; beside it ".next" during a change */
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct signing_log log;
    const struct key_chain *chain; /* borrowed; changes only in log.append */
    enum signing_step step;
    bool has_current, has_next; /* both, once ready: a hand-over that both still sign */
    struct note_signer current, next;
    struct checkpoint last; /* signed, or stored before this start */
    bool has_last;
};

/* Reads the key files and decides; writes nothing. key_path NULL: no signatures, which a log that
 * has a key does not allow. break_reason: NULL, or why a lost key shall be replaced. STATUS_INVALID
 * or _DENIED, with what to do, where the log's key is not there. Close it also after a failure. */
MUST_USE enum status signing_open(struct signing *signing, const char *folder, const char *key_path,
                                  const char *break_reason,
                                  const uint8_t log_id[static SEGMENT_ID_BYTES],
                                  const struct key_chain *chain, struct error *error);
/* Makes or completes the key. The log takes entries; its keeper does not run yet. */
MUST_USE enum status signing_settle(struct signing *signing, const struct signing_log *log,
                                    struct error *error);
void signing_close(struct signing *signing);

/* Signs and stores the newest durable state: the log's, or if given this one, once the log has
 * stopped. keep: also in checkpoints/, for good. *note (may be NULL) gets the bytes, *checkpoint
 * (may be NULL) what they say. Nothing happens where that was signed before, unless it is to be
 * kept or told. */
struct signing_order {
    const struct checkpoint *given;
    bool keep;
    struct buffer *note;
    struct checkpoint *checkpoint;
};
MUST_USE enum status signing_publish(struct signing *signing, const struct signing_order *order,
                                     struct error *error);

/* Appends the text as a note, signed by the key in force; the text alone where there is none. For
 * texts that nobody can take for a checkpoint. */
void signing_note(struct signing *signing, struct slice text, struct buffer *out);

/* A new key, told in the log by both. After a failure both keys go on signing what the log says
 * since, and the next start, or the next call, completes the change. */
MUST_USE enum status signing_rotate(struct signing *signing, struct note_key *fresh,
                                    struct error *error);

#endif
