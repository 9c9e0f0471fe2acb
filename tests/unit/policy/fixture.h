/* Policies and configurations written to a temporary file, for the tests of this folder. */
#ifndef COFFERDAM_TESTS_POLICY_FIXTURE_H
#define COFFERDAM_TESTS_POLICY_FIXTURE_H

#include "policy/policy.h"

/* A dataset of customers with a phone and an iban, one of cars, one of models (about nobody). */
#define SUBJECTS "subjects: {customer: {dataset: customer, key: customer_id}}\n"
#define CUSTOMER                                                                                   \
    "  customer:\n"                                                                                \
    "    table: crm.customer\n"                                                                    \
    "    subject: {kind: customer, key: customer_id}\n"                                            \
    "    columns: {customer_id: {}, full_name: {category: name}, phone: {category: phone},"        \
    " iban: {category: financial}}\n"
#define VEHICLE                                                                                    \
    "  vehicle: {table: crm.vehicle, subject: {kind: customer, key: owner_id, when_null: none},"   \
    " columns: {vin: {category: vin}, registration: {category: vrm}}}\n"
#define MODEL    "  model: {table: crm.model, subject: none, columns: {model_id: {}, name: {}}}\n"
#define DATASETS SUBJECTS "datasets:\n" CUSTOMER VEHICLE MODEL
#define PARTNER  DATASETS "partners:\n  north-mail:\n    purposes: [recall, survey]\n"
#define AGENT                                                                                      \
    PARTNER "    agents:\n      - {name: sync, identity: {certificate: \"spiffe://n/sync\"}}\n"    \
            "      - {name: job, identity: {scram: secrets/job.scram}}\n"

/* The text in a file of its own; its path, until the next call. */
const char *fixture_write(const char *text);
/* Fails the test with the error's text if it does not load. The caller releases. */
const struct policy *fixture_load(const char *text);
/* Fails the test if it loads, or if the message has no `message` in it or the hint no `hint`
 * (NULL: any). */
void fixture_refuse(const char *text, const char *message, const char *hint);

#endif
