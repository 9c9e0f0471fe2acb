/* What the gateway and cofferdam-token say to each other, each message with its length before it:
 * strangers' JSON and JOSE are taken apart there, in a process that can do nothing else. Frames
 * are of ours on both sides; a malformed one is the end of the conversation.
 * Private to oidc/. No I/O, any thread. */
#ifndef COFFERDAM_OIDC_QUESTION_H
#define COFFERDAM_OIDC_QUESTION_H

#include "base/buffer.h"
#include "base/status.h"
#include "policy/policy.h"

enum {
    QUESTION_TOKEN_BYTES = 16 * 1024,
    QUESTION_DOCUMENT_BYTES = 64 * 1024, /* a key set, a provider's description */
    QUESTION_CLAIMS_MAX = 16,
    QUESTION_BYTES = QUESTION_TOKEN_BYTES + QUESTION_DOCUMENT_BYTES + 32 * 1024,
    QUESTION_ID_BYTES = 16,
    QUESTION_TEXT_ROOM = 2048,
};

enum question_kind {
    QUESTION_TOKEN = 1, /* is it good, by the keys in `document`? */
    QUESTION_KEYS,      /* has `document` keys that can be used? */
    QUESTION_DISCOVERY, /* where does `document`, of `issuer`, say that its keys are? */
};

struct question {
    enum question_kind kind;
    int64_t now_s;
    uint32_t skew_s, max_lifetime_s;
    struct slice issuer, audience, typ; /* typ empty: JWT, at+jwt or none */
    struct slice token, document;
    struct policy_claim claims[QUESTION_CLAIMS_MAX]; /* borrowed texts */
    size_t claim_count;
};

enum verdict_kind {
    VERDICT_GOOD = 1,
    VERDICT_BAD,         /* not a token (document) that is taken */
    VERDICT_UNKNOWN_KEY, /* its key is not among these: they may have been changed */
    VERDICT_EXPIRED,     /* was good in all but time */
    VERDICT_OTHER,       /* good, and somebody else's: a claim of the agent's is not met */
};

struct verdict {
    enum verdict_kind kind;
    int64_t expires_s; /* of a good or another's token, the skew included */
    uint8_t id[QUESTION_ID_BYTES];
    char text[QUESTION_TEXT_ROOM]; /* why not, without a value of the token; where the keys are */
};

/* Append a whole frame; the buffer's overflow tells. */
void question_put(const struct question *question, struct buffer *out);
void verdict_put(const struct verdict *verdict, struct buffer *out);
/* Of a frame's content, without its length. What is read borrows from it; texts of claims end with
 * a NUL in place. STATUS_INVALID. */
MUST_USE enum status question_read(struct slice frame, struct question *question);
MUST_USE enum status verdict_read(struct slice frame, struct verdict *verdict);

#endif
