/* What contain and restore share. */
#ifndef COFFERDAM_CLI_CONTAIN_H
#define COFFERDAM_CLI_CONTAIN_H

#include "cli/cli.h"

enum { CONTAIN_ID_ROOM = 41, CONTAIN_NAME_ROOM = 2 * CLI_NAME_ROOM + CONTAIN_ID_ROOM + 24 };

/* What the call names: --all, or its argument; with --certificate or --token. */
struct contain_what {
    char partner[CLI_NAME_ROOM]; /* "": all */
    char agent[CLI_NAME_ROOM];   /* "": any */
    char credential[CONTAIN_ID_ROOM];
    char name[CONTAIN_NAME_ROOM]; /* for people */
    const char *reason;
};

/* act: "CONTAIN" or "RESTORE" of what the call names, for --reason. */
MUST_USE enum status cli_contain(struct cli_call *call, const char *act, struct error *error);

/* "north-mail is", "all partners are". */
void contain_who(const struct contain_what *what, char who[static CONTAIN_NAME_ROOM + 8]);

/* ---- contain_stopped.c ---- */
/* Is there no gateway at all behind this configuration's sockets? */
bool contain_is_stopped(const struct cli_call *call);
/* Writes it into the registry of a gateway that does not run: in force when it starts. */
MUST_USE enum status contain_stopped(struct cli_call *call, const struct contain_what *what,
                                     struct error *error);

#endif
