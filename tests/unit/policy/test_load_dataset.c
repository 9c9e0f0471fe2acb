/* Datasets, kinds, masks, and the paths from rows to people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static void reads_tables_and_columns(void **state)
{
    const struct policy *policy = fixture_load(DATASETS);
    assert_int_equal(policy->dataset_count, 3);
    const struct policy_dataset *customer = policy_find_dataset(policy, "customer");
    assert_non_null(customer);
    assert_string_equal(customer->schema, "crm");
    assert_string_equal(customer->table, "customer");
    assert_int_equal(customer->line, 3);
    assert_int_equal(customer->column_count, 4);
    assert_null(customer->columns[0].category);
    assert_string_equal(customer->columns[3].category, "financial");
    assert_null(policy_find_dataset(policy, "Customer"));
    policy_release(policy);
}

static void reads_subjects(void **state)
{
    const struct policy *policy = fixture_load(DATASETS);
    const struct policy_dataset *vehicle = policy_find_dataset(policy, "vehicle");
    assert_int_equal(vehicle->subject_count, 1);
    assert_string_equal(policy->kinds[vehicle->subjects[0].kind].name, "customer");
    assert_string_equal(vehicle->subjects[0].key, "owner_id");
    assert_int_equal(vehicle->subjects[0].hop_count, 0);
    assert_int_equal(vehicle->subjects[0].when_null, POLICY_NULL_NONE);
    assert_int_equal(policy_find_dataset(policy, "model")->subject_count, 0);
    policy_release(policy);
}

#define VISIT(subject)                                                                             \
    SUBJECTS "datasets:\n"                                                                         \
             "  visit: {table: crm.visit, columns: {visit_id: {}}, subject: " subject              \
             "}\n" CUSTOMER VEHICLE MODEL

static void follows_paths_to_the_key(void **state)
{
    const struct policy *policy =
        fixture_load(VISIT("{kind: customer, via: [{dataset: vehicle, on: {car: vehicle_id}}]}"));
    const struct policy_subject *subject = policy_find_dataset(policy, "visit")->subjects;
    assert_int_equal(subject->hop_count, 1);
    assert_string_equal(policy->datasets[subject->hops[0].dataset].name, "vehicle");
    assert_string_equal(subject->hops[0].child_column, "car");
    assert_string_equal(subject->hops[0].parent_column, "vehicle_id");
    assert_string_equal(subject->key, "owner_id");
    assert_int_equal(subject->when_null, POLICY_NULL_NONE); /* the vehicle's */
    policy_release(policy);
    policy = fixture_load(VISIT("{kind: customer, via: {dataset: vehicle, on: car}, key: driver,"
                                " when_null: refuse}"));
    subject = policy_find_dataset(policy, "visit")->subjects;
    assert_string_equal(subject->key, "driver");
    assert_string_equal(subject->hops[0].parent_column, "car");
    assert_int_equal(subject->when_null, POLICY_NULL_REFUSE);
    policy_release(policy);
}

static void takes_several_subjects(void **state)
{
    const struct policy *policy = fixture_load(VISIT(
        "[{kind: customer, key: payer}, {kind: customer, via: {dataset: vehicle, on: car}}]"));
    const struct policy_dataset *visit = policy_find_dataset(policy, "visit");
    assert_int_equal(visit->subject_count, 2);
    assert_string_equal(visit->subjects[0].key, "payer");
    assert_string_equal(visit->subjects[1].key, "owner_id");
    policy_release(policy);
}

static void refuses_paths_that_lead_nowhere(void **state)
{
    fixture_refuse(VISIT("{kind: customer, via: {dataset: model, on: model_id}}"),
                   "holds no key of a customer", "further steps");
    fixture_refuse(VISIT("{kind: customer, via: [{dataset: visit, on: a}], key: k}"),
                   "comes back to dataset visit", NULL);
    fixture_refuse(
        VISIT("{kind: customer, via: [{dataset: vehicle, on: a}, {dataset: model, on: b},"
              " {dataset: vehicle, on: c}]}"),
        "comes back to dataset vehicle", NULL);
    fixture_refuse(VISIT("{kind: customer, via: []}"), "a path without a step", NULL);
    fixture_refuse(VISIT("{kind: customer, via: {dataset: vehicel, on: a}}"),
                   "did you mean \"vehicle\"?", NULL);
    fixture_refuse(VISIT("{kind: customer, via: {dataset: vehicle, on: {a: b, c: d}}}"),
                   "exactly one pair", NULL);
    fixture_refuse(VISIT("{kind: customer}"), "key \"key\" is missing", NULL);
    fixture_refuse(VISIT("{kind: custmer, key: k}"), "did you mean \"customer\"?", NULL);
    fixture_refuse(VISIT("{kind: customer, key: k, when_null: hid}"), "did you mean \"hide\"?",
                   "hide, none, refuse");
    fixture_refuse(VISIT("[{kind: customer, key: k}, {kind: customer, key: k}]"), "given twice",
                   NULL);
    fixture_refuse(VISIT("nobody"), "whose data is this?", NULL);
    fixture_refuse(VISIT("[]"), "an empty list", NULL);
}

static void refuses_two_keys_at_a_paths_end(void **state)
{
    fixture_refuse(SUBJECTS "datasets:\n" CUSTOMER
                            "  loan: {table: crm.loan, columns: {a: {}}, subject:"
                            " [{kind: customer, key: lender}, {kind: customer, key: borrower}]}\n"
                            "  rate: {table: crm.rate, columns: {a: {}}, subject:"
                            " {kind: customer, via: {dataset: loan, on: loan_id}}}\n",
                   "holds several keys of a customer", "name the one");
}

static void holds_kinds_against_their_dataset(void **state)
{
    fixture_refuse("subjects: {customer: {dataset: customer, key: id}}\ndatasets:\n" CUSTOMER,
                   "policy.yaml:1:12: subjects: dataset customer does not say subject: "
                   "{kind: customer, key: id}",
                   NULL);
    fixture_refuse("subjects: {customer: {dataset: custoner, key: customer_id}}\n"
                   "datasets:\n" CUSTOMER,
                   "did you mean \"customer\"?", NULL);
}

#define CONTACT(columns)                                                                           \
    "subjects: {customer: {dataset: customer, key: customer_id, contact: {" columns "}}}\n"        \
    "datasets:\n"

static void reads_contacts(void **state)
{
    const struct policy *policy =
        fixture_load(CONTACT("name: full_name, post: [full_name, phone], gone_away: iban,"
                             " brand: phone") CUSTOMER);
    const struct policy_contact *contact = &policy_find_kind(policy, "customer")->contact;
    assert_string_equal(contact->name, "full_name");
    assert_string_equal(contact->gone_away, "iban");
    assert_string_equal(contact->brand, "phone");
    assert_null(contact->email);
    assert_null(contact->birth_date);
    assert_int_equal(contact->post_count, 2);
    assert_string_equal(contact->post[1], "phone");
    policy_release(policy);
}

static void contacts_are_columns_of_the_kinds_dataset(void **state)
{
    fixture_refuse(CONTACT("name: fullname") CUSTOMER,
                   "column of dataset customer \"fullname\" is not known", "full_name");
    fixture_refuse(CONTACT("post: [phone, vin]") CUSTOMER VEHICLE,
                   "column of dataset customer \"vin\" is not known", NULL);
    fixture_refuse(CONTACT("deceased: 'a b'") CUSTOMER, "is not a name that the database", NULL);
    fixture_refuse(CONTACT("birthday: phone") CUSTOMER, "birthday", "birth_date");
    fixture_refuse(CONTACT("post: [phone, phone, phone, phone, phone, phone, phone, phone, phone]")
                       CUSTOMER,
                   "at most 8 lines", NULL);
}

static void refuses_names_that_sql_would_not_take(void **state)
{
    fixture_refuse("datasets: {a-b: {table: a.b, subject: none, columns: {c: {}}}}\n",
                   "is not valid", NULL);
    fixture_refuse("datasets: {Ab: {table: a.b, subject: none, columns: {c: {}}}}\n",
                   "is not valid", NULL);
    fixture_refuse("datasets: {ab: {table: customer, subject: none, columns: {c: {}}}}\n",
                   "the table's schema is missing", "crm.customer");
    fixture_refuse("datasets: {ab: {table: 'a.b\"', subject: none, columns: {c: {}}}}\n",
                   "is not a name that the database would take", NULL);
    fixture_refuse("datasets: {ab: {table: a.b, subject: none, columns: {'c d': {}}}}\n",
                   "is not a name that the database would take", NULL);
    fixture_refuse("datasets: {ab: {table: a.b, subject: none, columns: {}}}\n",
                   "a dataset without columns", NULL);
}

static void knows_categories(void **state)
{
    fixture_refuse(
        "datasets: {a: {table: a.b, subject: none, columns: {c: {category: finacial}}}}\n",
        "did you mean \"financial\"?", "financial");
    const struct policy *policy = fixture_load(
        "datasets: {a: {table: a.b, subject: none, columns: {c: {category: x_shoe_size}, d: ,"
        " e: {category: none}}}}\n");
    assert_string_equal(policy->datasets[0].columns[0].category, "x_shoe_size");
    assert_null(policy->datasets[0].columns[1].category);
    assert_null(policy->datasets[0].columns[2].category);
    policy_release(policy);
    assert_true(policy_category_sensitive("financial"));
    assert_true(policy_category_sensitive("credential"));
    assert_false(policy_category_sensitive("name"));
    assert_false(policy_category_sensitive(NULL));
}

static void reads_masks(void **state)
{
    const struct policy *policy =
        fixture_load(DATASETS "masks:\n  last4: {form: masked, sql: \"right({column}, 4)\"}\n");
    assert_int_equal(policy->mask_count, 1);
    assert_string_equal(policy_find_mask(policy, "last4")->sql, "right({column}, 4)");
    assert_null(policy_find_mask(policy, "year"));
    policy_release(policy);
    fixture_refuse(DATASETS "masks: {m: {form: masked, sql: \"'x'\"}}\n", "does not use the column",
                   "{column}");
    fixture_refuse(DATASETS "masks: {m: {form: clear, sql: \"{column}\"}}\n", "always masked",
                   NULL);
    fixture_refuse(DATASETS "masks: {token: {sql: \"{column}\"}}\n", "means something else", NULL);
}

static void names_the_policy_by_its_bytes(void **state)
{
    const struct policy *one = fixture_load(DATASETS);
    const struct policy *same = fixture_load(DATASETS);
    const struct policy *other = fixture_load(DATASETS "# seen\n");
    assert_int_equal(strlen(one->id), 64);
    assert_string_equal(one->id, same->id);
    assert_string_not_equal(one->id, other->id);
    assert_int_equal(one->text_len, strlen(DATASETS));
    assert_memory_equal(one->text, DATASETS, one->text_len);
    assert_ptr_equal(policy_retain(one), one);
    policy_release(one);
    assert_string_equal(one->datasets[0].name, "customer"); /* the second reference holds */
    policy_release(one);
    policy_release(same);
    policy_release(other);
    policy_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tables_and_columns),
        cmocka_unit_test(reads_subjects),
        cmocka_unit_test(follows_paths_to_the_key),
        cmocka_unit_test(takes_several_subjects),
        cmocka_unit_test(refuses_paths_that_lead_nowhere),
        cmocka_unit_test(refuses_two_keys_at_a_paths_end),
        cmocka_unit_test(holds_kinds_against_their_dataset),
        cmocka_unit_test(reads_contacts),
        cmocka_unit_test(contacts_are_columns_of_the_kinds_dataset),
        cmocka_unit_test(refuses_names_that_sql_would_not_take),
        cmocka_unit_test(knows_categories),
        cmocka_unit_test(reads_masks),
        cmocka_unit_test(names_the_policy_by_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
