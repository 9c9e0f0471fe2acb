/* Fuzz target: frames between the gateway and the program that judges tokens, which is the one that
 * a stranger's bytes may have broken. The first byte says whose. What is read is written again as
 * it was. */
#include <string.h>

#include "base/check.h"
#include "oidc/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1024 * 1024, LENGTH_BYTES = 4 };

static void run_verdict(struct slice frame)
{
    static struct verdict verdict;
    struct buffer again;
    if (verdict_read(frame, &verdict) != STATUS_OK)
        return;
    CHECK(verdict.kind >= VERDICT_GOOD && verdict.kind <= VERDICT_OTHER);
    CHECK(memchr(verdict.text, '\0', sizeof verdict.text) != NULL);
    buffer_init(&again, ROOM);
    verdict_put(&verdict, &again);
    CHECK(!again.overflowed && again.len <= LENGTH_BYTES + frame.len); /* less: a NUL in the text */
    CHECK(verdict_read(slice_of(again.data + LENGTH_BYTES, again.len - LENGTH_BYTES), &verdict) ==
          STATUS_OK);
    buffer_free(&again);
}

static void run_question(struct slice frame)
{
    static struct question question;
    struct buffer again;
    if (question_read(frame, &question) != STATUS_OK)
        return;
    CHECK(question.claim_count <= QUESTION_CLAIMS_MAX);
    for (size_t i = 0; i < question.claim_count; i++) /* "contains" is any byte but 0 */
        CHECK(question.claims[i].name != NULL && question.claims[i].value != NULL);
    buffer_init(&again, ROOM);
    question_put(&question, &again);
    CHECK(again.overflowed || again.len == LENGTH_BYTES + frame.len);
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct slice frame = slice_of(data + 1, size - 1);
    if (data[0] % 2 == 0)
        run_verdict(frame);
    else
        run_question(frame);
    return 0;
}
