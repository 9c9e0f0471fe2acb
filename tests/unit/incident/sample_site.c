/* Publishes an invented incident, for tests of the portal that need no breach:
 *     sample_site DATA_FOLDER FOLDER INCIDENT REFERENCES EXPIRED
 * Prints "queue-private-key HEX", then a line "ISSUE REFERENCE" for each reference; the last
 * EXPIRED of them are too old to be vouched for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/request_box.h"
#include "incident/publication.h"

enum { ISSUES = 4, VALID_DAYS = 400, EXPIRED_DAYS = -1 };
#define DAY_NS INT64_C(86400000000000)

static const uint8_t secret[32] = "sample secret of an installation";

static const struct policy_brand brands[] = {
    {"meridian", "Meridian", "privacy@meridian.example", "meridian.example/privacy"},
    {"dacre", "Dacre & Sons <Cars>", "privacy@dacre.example", "dacre.example/privacy"},
};
static const struct policy_controller controller = {
    .name = "Meridian Motors UK",
    .dpo_name = "Imogen Hartley",
    .dpo_email = "dpo@meridian.example",
    .dpo_phone = "+44 1632 960100",
    .dpo_post = "Data Protection, Meridian House, 1 Meridian Way, Bath BA1 1AA",
    .privacy_page = "meridian.example/privacy",
    .brands = brands,
    .brand_count = 2,
};
static const char *const languages[] = {"en", "fr"};
static struct block blocks[] = {
    {.kind = BLOCK_HEADING, .text = "How it happened"},
    {.kind = BLOCK_PARAGRAPH,
     .text =
         "On 20 November 2026 somebody got into the systems of a company that sends letters for "
         "us, and copied data from it."},
    {.kind = BLOCK_ITEM, .text = "names"},
    {.kind = BLOCK_ITEM, .text = "addresses"},
};
static const struct document statement = {blocks, sizeof blocks / sizeof *blocks};
static const struct document *const happened[] = {&statement, NULL, &statement, NULL};
static const struct publication_issue issues[ISSUES] = {
    {"meridian", "en", "Meridian: a data breach that affects you",
     "There has been a data breach at a company that works for us. That company had information "
     "about you. We are sorry.",
     "privacy@meridian.example", "Meridian"},
    {"meridian", "fr", "Meridian : une fuite de données vous concerne",
     "Une entreprise qui travaille pour nous a subi une fuite de données.",
     "privacy@meridian.example", "Meridian"},
    {"dacre", "en", "Dacre: a data breach that affects you",
     "There has been a data breach at a company that works for us.", "privacy@dacre.example",
     "Dacre"},
    {"dacre", "fr", "Dacre : une fuite de données vous concerne",
     "Une entreprise qui travaille pour nous a subi une fuite de données.", "privacy@dacre.example",
     "Dacre"},
};

static void fill_marks(struct mark_record *marks, uint32_t incident, size_t count, size_t expired)
{
    uint8_t key[32];
    int32_t today = (int32_t)(clock_now_ns() / DAY_NS);
    publication_mark_key(secret, key);
    for (uint32_t i = 0; i < count; i++) {
        char reference[REFERENCE_ROOM];
        const struct slice parts[] = {slice_of(&incident, sizeof incident), slice_of(&i, sizeof i)};
        reference_derive(secret, parts, 2, reference);
        reference_mark(key, reference, marks[i].mark);
        marks[i].incident = incident;
        marks[i].issue = i % ISSUES;
        marks[i].last_day = today + (i < count - expired ? VALID_DAYS : EXPIRED_DAYS);
        printf("%u %s\n", i % ISSUES, reference);
    }
}

static void print_private_key(void)
{
    uint8_t private_key[32], public_key[32];
    char hex[65];
    request_box_keys(secret, private_key, public_key);
    crypto_hex(private_key, sizeof private_key, hex);
    printf("queue-private-key %s\n", hex);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    uint32_t incident = (uint32_t)strtoul(argv[3], NULL, 10);
    size_t count = strtoul(argv[4], NULL, 10), expired = strtoul(argv[5], NULL, 10);
    struct mark_record *marks = calloc(count + 1, sizeof *marks);
    struct error error = {0};
    if (marks == NULL)
        return 1;
    print_private_key();
    fill_marks(marks, incident, count, expired);
    struct publication publication = {
        .data_folder = argv[1],
        .folder = argv[2],
        .controller = &controller,
        .secret = secret,
        .now_ns = clock_now_ns(),
        .languages = languages,
        .language_count = 2,
        .incident = incident,
        .noticed_ns = INT64_C(1795608000) * 1000000000,
        .issued_ns = INT64_C(1795700000) * 1000000000,
        .happened = happened,
        .issues = issues,
        .issue_count = ISSUES,
        .marks = marks,
        .mark_count = count,
    };
    enum status status = publication_write(&publication, &error);
    free(marks);
    if (status != STATUS_OK)
        fprintf(stderr, "%s: %s\n", status_name(status), error.message);
    return status == STATUS_OK ? 0 : 1;
}
