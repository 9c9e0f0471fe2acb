/* See commitment.h. Read by writing it again: what does not give the same bytes is refused. */
#include "never/commitment.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/since.h"
#include "crypto/crypto.h"
#include "ledger/ledger.h"
#include "never/spelling.h"

enum { HEX_ROOM = 2 * NEVER_HASH_BYTES + 1, TIME_ROOM = 21 };

static const char whole[] = "index=never", cut[] = "index=never@v2";

enum status never_base_read(const char *ledger_folder, struct never_base *base, struct error *error)
{
    struct ledger_since since;
    TRY(ledger_since(ledger_folder, &since, error));
    *base = (struct never_base){0};
    if (since.entries == 0)
        return STATUS_OK;
    base->from = since.below;
    base->since_ns = since_after(since.last_ns);
    memcpy(base->statement, since.statement, sizeof base->statement);
    return STATUS_OK;
}

bool never_base_equal(const struct never_base *a, const struct never_base *b)
{
    return a->from == b->from && a->since_ns == b->since_ns &&
           memcmp(a->statement, b->statement, sizeof a->statement) == 0;
}

static void format_base(const struct never_base *base, struct buffer *out)
{
    char statement[HEX_ROOM], since[TIME_ROOM];
    buffer_append_text(out, base->from == 0 ? whole : cut);
    if (base->from == 0)
        return;
    crypto_hex(base->statement, sizeof base->statement, statement);
    clock_format_utc(base->since_ns, since);
    buffer_printf(out, "\nfrom=%" PRIu64 "\nsince=%s\nbase=%s", base->from, since, statement);
}

void never_commitment_format(const struct never_commitment *commitment, struct buffer *out)
{
    char root[HEX_ROOM], vrf_key[HEX_ROOM], time[TIME_ROOM];
    crypto_hex(commitment->root, sizeof commitment->root, root);
    crypto_hex(commitment->vrf_key, sizeof commitment->vrf_key, vrf_key);
    clock_format_utc(commitment->as_of_ns, time);
    format_base(&commitment->base, out);
    buffer_printf(out,
                  "\nentries=%" PRIu64 "\nat=%s\nleaves=%" PRIu64 "\nroot=%s\nvrf=%s\n"
                  "erased=%" PRIu64,
                  commitment->entries, time, commitment->leaves, root, vrf_key, commitment->erased);
}

static bool read_number(struct slice text, const char *key, uint64_t *number)
{
    return spelling_number(ledger_text_value(text, key), number);
}

/* Only the lines of the second form have a base. */
static bool read_base(struct slice text, struct never_base *base)
{
    if (text.len < sizeof cut || memcmp(text.data, cut, sizeof cut - 1) != 0)
        return true;
    return read_number(text, "from", &base->from) && base->from > 0 &&
           spelling_instant(ledger_text_value(text, "since"), &base->since_ns) &&
           spelling_hex(ledger_text_value(text, "base"), base->statement, sizeof base->statement);
}

static bool read_lines(struct slice text, struct never_commitment *read)
{
    *read = (struct never_commitment){0};
    return read_base(text, &read->base) && read_number(text, "entries", &read->entries) &&
           spelling_instant(ledger_text_value(text, "at"), &read->as_of_ns) &&
           read_number(text, "leaves", &read->leaves) &&
           spelling_hex(ledger_text_value(text, "root"), read->root, sizeof read->root) &&
           spelling_hex(ledger_text_value(text, "vrf"), read->vrf_key, sizeof read->vrf_key) &&
           read_number(text, "erased", &read->erased) &&
           (read->base.from == 0 || read->base.from < read->entries);
}

/* Does the text begin with these lines, and go on with nothing or with who did it? */
static bool is_spelt(struct slice text, struct slice lines)
{
    static const char by[] = "\nby=";
    if (text.len < lines.len || memcmp(text.data, lines.data, lines.len) != 0)
        return false;
    size_t rest = text.len - lines.len;
    return rest == 0 ||
           (rest >= sizeof by - 1 && memcmp(text.data + lines.len, by, sizeof by - 1) == 0 &&
            memchr(text.data + lines.len + 1, '\n', rest - 1) == NULL);
}

enum status never_commitment_parse(struct slice text, struct never_commitment *commitment,
                                   struct error *error)
{
    struct never_commitment read;
    struct buffer lines;
    bool good = false;
    buffer_init(&lines, NEVER_COMMITMENT_BYTES);
    if (read_lines(text, &read)) {
        never_commitment_format(&read, &lines);
        good = !lines.overflowed && is_spelt(text, buffer_slice(&lines));
    }
    buffer_free(&lines);
    if (!good)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the lines of the commitment are malformed");
    *commitment = read;
    return STATUS_OK;
}
