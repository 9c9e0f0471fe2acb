/* See witness.h. A round: the published note, and what cosignatures the kept one of its size has
 * already; one exchange a witness, two where it names the size that it has seen; one note stored.
 */
#include "witness/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "http/http.h"
#include "ledger/kept.h"
#include "ledger/tiles.h"
#include "witness/answer.h"

enum { URL_ROOM = 2048, ANSWER_BYTES = 64 * 1024 };

struct exchange {
    const char *folder;
    struct tiles *tiles;
    const struct checkpoint *checkpoint;
    struct slice published; /* the note that is sent */
    struct note note;       /* what is stored already; borrows `bytes` */
    struct buffer bytes;    /* the kept note, and the lines that come to it */
};

const char *witness_state_name(enum witness_state state)
{
    static const char *const names[] = {[WITNESS_COSIGNED] = "cosigned",
                                        [WITNESS_REFUSED] = "refused",
                                        [WITNESS_AWAY] = "away",
                                        [WITNESS_FORKED] = "forked"};
    return names[state];
}

/* ---- one witness ---- */

static enum status post(const struct witness *witness, struct slice request,
                        struct http_answer *answer, struct error *error)
{
    char url[URL_ROOM];
    size_t len = strlen(witness->url);
    while (len > 0 && witness->url[len - 1] == '/')
        len--;
    if (len + sizeof "/add-checkpoint" > sizeof url)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the url is too long");
    snprintf(url, sizeof url, "%.*s/add-checkpoint", (int)len, witness->url);
    static const char *const headers[] = {"Content-Type: text/plain; charset=utf-8", NULL};
    const struct http_request made = {
        .method = HTTP_POST, .url = url, .ca = witness->ca, .headers = headers, .body = request};
    return http_send(&made, answer, error);
}

/* Sends the note with a proof from old_size. *line is appended to. */
static enum status ask(const struct exchange *exchange, const struct witness *witness,
                       uint64_t old_size, struct answer_read *read, struct buffer *line,
                       struct error *error)
{
    struct proof proof;
    struct buffer request;
    struct http_answer answer = {0};
    buffer_init(&request, ANSWER_REQUEST_BYTES);
    buffer_init(&answer.body, ANSWER_BYTES);
    enum status status = proof_consistency(old_size, exchange->checkpoint->size, tiles_source,
                                           exchange->tiles, &proof, error);
    if (status == STATUS_OK)
        status = answer_request(old_size, &proof, exchange->published, &request, error);
    if (status == STATUS_OK)
        status = post(witness, buffer_slice(&request), &answer, error);
    if (status == STATUS_OK) {
        const struct answer got = {
            .code = answer.code, .type = answer.type, .body = buffer_slice(&answer.body)};
        struct note published;
        CHECK(note_parse(exchange->published, &published, NULL) == STATUS_OK);
        status = answer_read(&got, &witness->key, published.text, read, error);
    }
    if (status == STATUS_OK && read->meaning == ANSWER_COSIGNED)
        buffer_append(line, read->line.data, read->line.len);
    buffer_free(&answer.body);
    buffer_free(&request);
    return status;
}

static enum status forked(struct witness_result *result, struct error *error, const char *format,
                          uint64_t size)
{
    static const char hint[] =
        "Keep this machine as it is. Compare backups, kept checkpoints and what the witness "
        "holds; `cofferdam ledger verify` tells whether the log agrees with itself.";
    result->state = WITNESS_FORKED;
    error_set(error, STATUS_CORRUPT, "XX001", hint, format, size);
    return STATUS_CORRUPT;
}

/* Somebody else may have published, and had cosigned, something newer meanwhile. */
static bool is_overtaken(const struct exchange *exchange, uint64_t seen)
{
    struct tiles *now = NULL;
    if (tiles_open(exchange->folder, &now, NULL) != STATUS_OK)
        return false;
    bool overtaken = tiles_checkpoint(now)->size >= seen;
    tiles_close(now);
    return overtaken;
}

/* It remembers `seen`, and that was not what we said: once more from there. */
static enum status ask_again(const struct exchange *exchange, const struct witness *witness,
                             uint64_t old_size, uint64_t seen, struct witness_result *result,
                             struct answer_read *read, struct buffer *line)
{
    struct error *error = &result->error;
    if (seen > exchange->checkpoint->size && is_overtaken(exchange, seen))
        return error_set(error, STATUS_AGAIN, "55000", "Run it again.",
                         "a newer checkpoint was published meanwhile");
    if (seen > exchange->checkpoint->size)
        return forked(result, error,
                      "it has seen this log with %" PRIu64 " entries, more than there are: entries "
                      "were taken away",
                      seen);
    if (seen == old_size)
        return forked(result, error,
                      "it has seen another tree of %" PRIu64 " entries: the log was rewritten",
                      seen);
    TRY(ask(exchange, witness, seen, read, line, error));
    if (read->meaning == ANSWER_COSIGNED)
        return STATUS_OK;
    if (read->meaning == ANSWER_CONFLICT && read->size != seen)
        return error_set(error, STATUS_AGAIN, "55000", "Run it again.",
                         "it has taken another checkpoint meanwhile");
    return forked(result, error,
                  "what it has seen, %" PRIu64
                  " entries, is not the beginning of this log: the log was rewritten",
                  seen);
}

static enum status cosign(const struct exchange *exchange, struct witness *witness,
                          struct witness_result *result, struct buffer *line)
{
    struct answer_read read;
    uint64_t old_size =
        witness->known <= exchange->checkpoint->size ? witness->known : exchange->checkpoint->size;
    TRY(ask(exchange, witness, old_size, &read, line, &result->error));
    if (read.meaning == ANSWER_CONFLICT)
        TRY(ask_again(exchange, witness, old_size, read.size, result, &read, line));
    else if (read.meaning == ANSWER_UNPROVED)
        return forked(result, &result->error,
                      "what it has seen, %" PRIu64
                      " entries, is not the beginning of this log: the log was rewritten",
                      old_size);
    result->state = WITNESS_COSIGNED;
    result->time = read.time;
    witness->known = exchange->checkpoint->size;
    return STATUS_OK;
}

/* ---- a round ---- */

static void ask_one(struct exchange *exchange, struct witness *witness,
                    struct witness_result *result, struct buffer *lines)
{
    result->time = note_cosigned_at(&exchange->note, &witness->key);
    if (note_check(&exchange->note, &witness->key) == NOTE_GOOD) {
        result->state = WITNESS_COSIGNED;
        return;
    }
    result->state = WITNESS_REFUSED;
    enum status status = cosign(exchange, witness, result, lines);
    if ((status == STATUS_IO || status == STATUS_AGAIN) && result->state != WITNESS_FORKED)
        result->state = WITNESS_AWAY;
    if (status != STATUS_OK) /* what it knows is asked for anew */
        witness->known = 0;
}

/* The note that cosignatures are added to: the kept one of this size, if its text is the same. */
static enum status load_kept(struct exchange *exchange, struct error *error)
{
    char path[KEPT_PATH_ROOM], origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint kept;
    struct note published;
    TRY(note_parse(exchange->published, &published, error));
    kept_path(exchange->folder, exchange->checkpoint->size, path);
    buffer_clear(&exchange->bytes);
    enum status status =
        checkpoint_read_note(path, &exchange->bytes, &exchange->note, origin, &kept, error);
    if (status == STATUS_OK && slice_equal(exchange->note.text, published.text))
        return STATUS_OK;
    if (status == STATUS_OK)
        return error_set(error, STATUS_CORRUPT, "XX001", "Run `cofferdam ledger verify`.",
                         "%.300s and what is published are of two logs", path);
    if (status != STATUS_NOT_FOUND)
        return status;
    buffer_clear(&exchange->bytes);
    buffer_append(&exchange->bytes, exchange->published.data, exchange->published.len);
    return note_parse(buffer_slice(&exchange->bytes), &exchange->note, error);
}

static enum status store(struct exchange *exchange, struct slice lines, struct error *error)
{
    uint64_t size = exchange->checkpoint->size;
    buffer_append(&exchange->bytes, lines.data, lines.len);
    if (exchange->bytes.overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many signatures");
    struct note made; /* one that nobody can read would stop the gateway's next start */
    TRY(note_parse(buffer_slice(&exchange->bytes), &made, error));
    TRY(kept_store(exchange->folder, size, buffer_slice(&exchange->bytes), true, error));
    return kept_publish(exchange->folder, size, buffer_slice(&exchange->bytes), error);
}

static enum status run(struct exchange *exchange, struct witness *witnesses, size_t count,
                       struct witness_round *round, struct error *error)
{
    struct buffer lines;
    exchange->checkpoint = tiles_checkpoint(exchange->tiles);
    exchange->published = tiles_note(exchange->tiles);
    if (exchange->published.len == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "The gateway publishes one soon after its start.",
                         "no signed checkpoint is published yet");
    TRY(load_kept(exchange, error));
    round->checkpoint = *exchange->checkpoint;
    buffer_init(&lines, NOTE_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        ask_one(exchange, &witnesses[i], &round->results[i], &lines);
        round->cosigned += round->results[i].state == WITNESS_COSIGNED;
        round->forked = round->forked || round->results[i].state == WITNESS_FORKED;
    }
    enum status status = lines.len == 0 ? STATUS_OK : store(exchange, buffer_slice(&lines), error);
    buffer_free(&lines);
    return status;
}

enum status witness_round(const char *folder, struct witness *witnesses, size_t count,
                          struct witness_round *round, struct error *error)
{
    struct exchange exchange = {.folder = folder};
    struct witness_round made = {0};
    CHECK(count <= WITNESS_MAX);
    TRY(tiles_open(folder, &exchange.tiles, error));
    buffer_init(&exchange.bytes, NOTE_BYTES_MAX);
    enum status status = run(&exchange, witnesses, count, &made, error);
    if (status == STATUS_OK)
        *round = made;
    buffer_free(&exchange.bytes);
    tiles_close(exchange.tiles);
    return status;
}
