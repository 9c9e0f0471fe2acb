/* What gateway and issuer write to each other: one question and one answer a connection, each with
 * its length in 4 bytes before it. To the issuer the gateway is a stranger: a malformed letter ends
 * the conversation. Private to issuer/. No I/O, any thread. */
#ifndef COFFERDAM_ISSUER_LETTER_H
#define COFFERDAM_ISSUER_LETTER_H

#include "issuer/issuer.h"

enum {
    LETTER_CERTIFICATE_BYTES = 8 * 1024,
    LETTER_QUESTION_BYTES =
        LETTER_CERTIFICATE_BYTES + ISSUER_REQUEST_BYTES + ISSUER_SIGNATURE_BYTES + 64,
    LETTER_ANSWER_BYTES = ISSUER_PEM_BYTES + 2048,
};

/* Append a whole letter with its length. STATUS_LIMIT 54000 where something is too long. */
MUST_USE enum status letter_put_question(const struct issuer_question *question, struct buffer *out,
                                         struct error *error);
/* failed NULL: `answer` is it. */
void letter_put_answer(const struct issuer_answer *answer, const struct error *failed,
                       struct buffer *out);

/* Of a letter without its length; the slices borrow from it. STATUS_INVALID. */
MUST_USE enum status letter_read_question(struct slice letter, struct issuer_question *question);
/* STATUS_INVALID for what is no answer. Otherwise *decision is the issuer's, with *error filled
 * where it is not STATUS_OK; answer->certificate is appended to. */
MUST_USE enum status letter_read_answer(struct slice letter, struct issuer_answer *answer,
                                        enum status *decision, struct error *error);

#endif
