/* The invented case and people. */
#include "incident/sample.h"

#include <string.h>

#include "base/clock.h"

static const struct letter_category few[] = {{"name", false}, {"address", false}};
static const struct letter_category many[] = {
    {"name", false}, {"address", false}, {"date_of_birth", false}, {"gender", false},
    {"phone", true}, {"email", false},   {"language", false},      {"vin", false},
    {"vrm", false},  {"vehicle", false}, {"purchase", false}};
static const struct letter_category grave[] = {
    {"financial", true}, {"credential", false}, {"name", false}, {"email", false}};
static const struct letter_category enquiry[] = {
    {"name", false}, {"address", false}, {"phone", false}, {"language", false}};

static const char *const held_few[] = {"credential", "financial", "date_of_birth", "phone", "email",
                                       "vin",        "vrm"};
static const char *const held_many[] = {"credential", "financial"};
static const char *const held_grave[] = {"date_of_birth", "phone", "address", "vin", "vrm"};
static const char *const held_enquiry[] = {"date_of_birth", "email"};
static const char *const not_held[] = {"official_id", "health"};
static const char *const not_held_enquiry[] = {"credential", "financial", "official_id", "health"};

static const struct sample samples[] = {
    {"customer-many",
     "customer",
     "Meridian",
     {.name = "Olivia Smith",
      .country = "GB",
      .reference = "4F7K-2M9Q-XB4T-FD03-WA8H-N",
      .taken = many,
      .taken_count = sizeof many / sizeof many[0],
      .elsewhere = held_many,
      .elsewhere_count = 2,
      .not_held = not_held,
      .not_held_count = 2}},
    {"customer-few",
     "customer",
     "Dacre",
     {.name = "Gurpreet Gill",
      .country = "GB",
      .reference = "9QXB-4TFD-03WA-8HNE-7K2M-1",
      .taken = few,
      .taken_count = 2,
      .elsewhere = held_few,
      .elsewhere_count = 7,
      .not_held = not_held,
      .not_held_count = 2}},
    {"customer-confirmed",
     "customer",
     "Meridian",
     {.name = "Zoë Lefèvre",
      .country = "FR",
      .reference = "TFD0-3WA8-HNE7-K2M9-QXB4-A",
      .confirmed = true,
      .replaces_date = "",
      .taken = grave,
      .taken_count = 4,
      .elsewhere = held_grave,
      .elsewhere_count = 5,
      .not_held = not_held,
      .not_held_count = 2}},
    {"customer-child",
     "customer",
     "Meridian",
     {.name = "Tomasz Nowak",
      .country = "GB",
      .reference = "8HNE-7K2M-9QXB-4TFD-03WA-Z",
      .child = true,
      .taken = few,
      .taken_count = 2,
      .elsewhere = held_few,
      .elsewhere_count = 7,
      .not_held = not_held,
      .not_held_count = 2}},
    {"enquirer",
     "enquirer",
     "Meridian",
     {.name = NULL,
      .country = "IE",
      .reference = "03WA-8HNE-7K2M-9QXB-4TFD-5",
      .taken = enquiry,
      .taken_count = 4,
      .elsewhere = held_enquiry,
      .elsewhere_count = 2,
      .not_held = not_held_enquiry,
      .not_held_count = 4}},
};

static const int64_t day_ns = INT64_C(86400000000000);
static const int64_t noticed_ns = INT64_C(1795168200) * 1000000000; /* 2026-11-20T09:50:00Z */
static const int64_t since_ns = INT64_C(1759309200) * 1000000000;   /* 2025-10-01T09:00:00Z */

static bool is_french(const struct words *words)
{
    const char *tag = words_get(words, "language", "tag");
    return tag != NULL && strcmp(tag, "fr") == 0;
}

enum status sample_case(const struct words *words, struct arena *arena, struct letter_case *about,
                        struct error *error)
{
    struct letter_case made = {
        .kind = "customer",
        .brand = "Meridian",
        .controller = "Meridian Motors UK",
        .privacy_page = "meridian.example/privacy",
        .sender = "privacy@meridian.example",
        .dpo_name = "Imogen Hartley",
        .dpo_email = "dpo@meridian.example",
        .dpo_phone = "+44 1632 960100",
        .dpo_post = "Data Protection, Meridian House, 1 Meridian Way, Bath BA1 1AA",
        .partner = "North Mail",
        .partner_service =
            is_french(words) ? "imprime et envoie nos courriers" : "prints and posts our letters",
        .reported_to = "ico",
    };
    TRY(letter_date(words, noticed_ns, arena, &made.noticed_date, error));
    made.contained_date = made.noticed_date;
    TRY(letter_date(words, noticed_ns + day_ns, arena, &made.reported_date, error));
    TRY(letter_date(words, since_ns, arena, &made.since_date, error));
    *about = made;
    return STATUS_OK;
}

size_t sample_people(const struct sample **people)
{
    *people = samples;
    return sizeof samples / sizeof samples[0];
}

struct letter_case sample_case_for(const struct letter_case *about, const struct sample *sample)
{
    struct letter_case told = *about;
    told.kind = sample->kind;
    told.brand = sample->brand;
    if (strcmp(sample->brand, "Dacre") == 0) {
        told.privacy_page = "dacre.example/privacy";
        told.sender = "privacy@dacre.example";
    }
    return told;
}
