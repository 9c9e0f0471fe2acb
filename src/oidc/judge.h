/* The other end of cofferdam-token: a running program that is asked one question at a time, and
 * started anew after it ended or was too slow. One thread at a time; waits for the answer.
 * Private to oidc/. */
#ifndef COFFERDAM_OIDC_JUDGE_H
#define COFFERDAM_OIDC_JUDGE_H

#include <sys/types.h>

#include "oidc/question.h"

struct judge {
    pid_t child; /* 0: none runs */
    int fd;
    struct buffer question, answer;
};

void judge_open(struct judge *judge);
void judge_close(struct judge *judge);
/* STATUS_IO where there is no verdict: the program is missing, died or took too long. */
MUST_USE enum status judge_ask(struct judge *judge, const struct question *question,
                               struct verdict *verdict, struct error *error);

#endif
