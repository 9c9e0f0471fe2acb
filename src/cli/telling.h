/* Telling the gateway of people by their keys: what `exposure declare` and `exposure deletion`
 * share. A list of any length goes in as many commands as it takes. One thread. */
#ifndef COFFERDAM_CLI_TELLING_H
#define COFFERDAM_CLI_TELLING_H

#include "cli/cli.h"
#include "cli/key_list.h"

struct telling {
    const char *kind; /* of --kind, or the policy's only one */
    struct key_list keys;
    char kind_room[CLI_NAME_ROOM];
};

/* Reads --keys FILE whole; --kind names the kind and so the key's column. Nothing is done yet. */
MUST_USE enum status telling_read(struct cli_call *call, struct telling *telling,
                                  struct error *error);
void telling_free(struct telling *telling);

/* An option that holds an instant; now where it was not given. A usage error for anything else. */
MUST_USE enum status telling_instant(struct cli_call *call, const char *option,
                                     char text[static 21], struct error *error);

struct telling_answer {
    uint64_t subjects, rest; /* people; of the column that the command's answer calls `rest` */
    uint64_t sequence;       /* of the last entry */
};
/* Sends head, completed with the keys (telling NULL: as it is), and adds up the answers. */
MUST_USE enum status telling_send(struct cli_call *call, const struct buffer *head,
                                  const struct telling *telling, const char *rest,
                                  struct telling_answer *answer, struct error *error);
/* One row of partner, subjects (telling done), rest, sequence, as --json wants it. */
MUST_USE enum status telling_print_json(const char *partner, const char *rest, bool has_subjects,
                                        const struct telling_answer *answer, struct error *error);

#endif
