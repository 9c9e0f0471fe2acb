/* What contact/ reads, printed for tests/integration/test_contact.py: a line a person or match,
 * fields divided by "|". contact_probe CONFIG read|traits|columns KIND KEY…, or
 * contact_probe CONFIG FIELD KIND VALUE… */
#include <stdio.h>
#include <string.h>

#include "contact/contact.h"

static const char *shown(const char *text)
{
    return text == NULL ? "-" : text;
}

static enum status print_person(void *context, const struct contact_person *person,
                                struct error *error)
{
    printf("%zu|%s|%s|%s|%s|%s|%s|%d|%d%d%d", person->at, shown(person->name), shown(person->email),
           shown(person->phone), shown(person->language), shown(person->brand),
           shown(person->country), person->birth_day, person->gone_away, person->deceased,
           person->safe_contact);
    for (size_t i = 0; i < person->post_count; i++)
        printf("|%s", person->post[i]);
    putchar('\n');
    return STATUS_OK;
}

static enum status print_match(void *context, size_t at, const char *key, struct error *error)
{
    printf("%zu|%s\n", at, key);
    return STATUS_OK;
}

static enum status find_one(struct contact_reader *reader, size_t kind, const char *field,
                            const char *value, struct error *error)
{
    char keys[2][256];
    size_t count = 0;
    TRY(contact_find(reader, kind, field, value, keys, 2, &count, error));
    printf("%zu", count);
    for (size_t i = 0; i < count && i < 2; i++)
        printf("|%s", keys[i]);
    putchar('\n');
    return STATUS_OK;
}

static enum status act(struct contact_reader *reader, const char *what, size_t kind,
                       const char *const *texts, size_t count, struct error *error)
{
    if (strcmp(what, "read") == 0)
        return contact_read(reader, kind, texts, count, print_person, NULL, error);
    if (strcmp(what, "traits") == 0)
        return contact_read_traits(reader, kind, texts, count, print_person, NULL, error);
    if (strcmp(what, "columns") == 0) {
        printf("%s\n%s\n", contact_columns(reader, kind, false),
               contact_columns(reader, kind, true));
        return STATUS_OK;
    }
    if (strncmp(what, "find ", 5) == 0)
        return find_one(reader, kind, what + 5, texts[0], error);
    return contact_match(reader, kind, what, texts, count, print_match, NULL, error);
}

int main(int argc, char **argv)
{
    struct config *config = NULL;
    const struct policy *policy = NULL;
    struct contact_reader *reader = NULL;
    struct error error = {0};
    if (argc < 4)
        return 2;
    enum status status = config_load(argv[1], &config, &error);
    if (status == STATUS_OK)
        status = policy_load(config->policy, &policy, &error);
    if (status == STATUS_OK)
        status = contact_open(config, policy, &reader, &error);
    if (status == STATUS_OK) {
        const struct policy_kind *kind = policy_find_kind(policy, argv[3]);
        status = act(reader, argv[2], (size_t)(kind - policy->kinds),
                     (const char *const *)(argv + 4), (size_t)argc - 4, &error);
    }
    if (status != STATUS_OK)
        fprintf(stderr, "%s: %s\n%s\n", error.sqlstate, error.message, error.hint);
    contact_close(reader);
    policy_release(policy);
    config_free(config);
    return status == STATUS_OK ? 0 : 1;
}
