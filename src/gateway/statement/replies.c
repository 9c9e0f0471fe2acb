/* Ring of expected replies. */
#include "gateway/statement/replies.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/limits.h"

static void reply_clear(struct reply *reply)
{
    planned_release(reply->planned);
    planned_release(reply->rows);
    prepared_release(reply->prepared);
    run_release(reply->run);
    free(reply->text);
}

void replies_free(struct replies *replies)
{
    while (replies->count > 0)
        replies_pop(replies);
    free(replies->ring);
    *replies = (struct replies){0};
}

static bool grow(struct replies *replies)
{
    size_t capacity = replies->capacity == 0 ? 16 : replies->capacity * 2;
    struct reply *ring = calloc(capacity, sizeof ring[0]);
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < replies->count; i++)
        ring[i] = replies->ring[(replies->first + i) % replies->capacity];
    free(replies->ring);
    replies->ring = ring;
    replies->first = 0;
    replies->capacity = capacity;
    return true;
}

enum status replies_push(struct replies *replies, struct reply reply, struct error *error)
{
    if (replies->count >= LIMIT_PENDING_REPLIES) {
        reply_clear(&reply);
        return error_set(error, STATUS_LIMIT, "54000", "read results before sending more",
                         "more than %d messages are pipelined", LIMIT_PENDING_REPLIES);
    }
    if (replies->count == replies->capacity && !grow(replies)) {
        reply_clear(&reply);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    replies->bytes += reply.text_len;
    replies->ring[(replies->first + replies->count++) % replies->capacity] = reply;
    return STATUS_OK;
}

struct reply *replies_head(struct replies *replies)
{
    return replies->count == 0 ? NULL : &replies->ring[replies->first];
}

void replies_pop(struct replies *replies)
{
    CHECK(replies->count > 0);
    struct reply head = replies->ring[replies->first];
    replies->first = (replies->first + 1) % replies->capacity;
    replies->count--;
    replies->popped++;
    replies->bytes -= head.text_len;
    reply_clear(&head);
}

static enum reply_kind kind_at(const struct replies *replies, size_t i)
{
    return replies->ring[(replies->first + i) % replies->capacity].kind;
}

static bool owed_from(const struct replies *replies, size_t first)
{
    for (size_t i = first; i < replies->count; i++)
        if (kind_at(replies, i) != REPLY_FAKE && kind_at(replies, i) != REPLY_FAKE_READY)
            return true;
    return false;
}

bool replies_wait_for_upstream(const struct replies *replies)
{
    return owed_from(replies, 0);
}

bool replies_wait_before_sync(const struct replies *replies)
{
    for (size_t i = 0; i < replies->count && kind_at(replies, i) != REPLY_SYNC; i++)
        if (kind_at(replies, i) != REPLY_FAKE && kind_at(replies, i) != REPLY_FAKE_READY)
            return true;
    return false;
}

bool replies_wait_beyond_sync(const struct replies *replies)
{
    size_t i = 0;
    while (i < replies->count && kind_at(replies, i) != REPLY_SYNC)
        i++;
    return owed_from(replies, i + 1);
}
