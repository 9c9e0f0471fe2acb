/* What columns are taken for: by name, by meaning, by looks, as somebody said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/columns.h"

static const struct policy_column person[] = {
    {"customer_id", NULL},   {"full_name", "name"}, {"mail_to", "email"},     {"phone", "phone"},
    {"postcode", "address"}, {"town", "address"},   {"born", "date_of_birth"}};
static const struct policy_column car[] = {
    {"vin", "vin"}, {"vrm", "vrm"}, {"owner", NULL}, {"phone", "phone"}};
static const struct policy_column entrant[] = {{"entrant_id", NULL}, {"email", "email"}};
static const struct policy_hop hops[] = {{0, "owner", "customer_id"}};
static const struct policy_subject of_person[] = {{.kind = 0, .key = "customer_id"}};
static const struct policy_subject of_car[] = {
    {.kind = 0, .hops = hops, .hop_count = 1, .key = "customer_id"}};
static const struct policy_subject of_entrant[] = {{.kind = 1, .key = "entrant_id"}};
static const struct policy_dataset datasets[] = {
    {.name = "customer",
     .columns = person,
     .column_count = 7,
     .subjects = of_person,
     .subject_count = 1},
    {.name = "car", .columns = car, .column_count = 4, .subjects = of_car, .subject_count = 1},
    {.name = "entrant",
     .columns = entrant,
     .column_count = 2,
     .subjects = of_entrant,
     .subject_count = 1},
};
static const char *const post[] = {"town", "postcode"};
static const struct policy_kind kinds[] = {
    {.name = "customer",
     .dataset = "customer",
     .key = "customer_id",
     .contact = {.name = "full_name",
                 .email = "mail_to",
                 .phone = "phone",
                 .birth_date = "born",
                 .post = post,
                 .post_count = 2}},
    {.name = "entrant", .dataset = "entrant", .key = "entrant_id"},
};
static const struct policy policy = {
    .kinds = kinds, .kind_count = 2, .datasets = datasets, .dataset_count = 3};

/* "how/key kind/field/targets" of each column, or the error. */
static const char *guessed(const char *text, const char *choice, const char *target)
{
    static char out[1000];
    struct leak leak;
    struct arena arena;
    struct columns columns = {0};
    struct error error = {0};
    const struct column_choice choices[] = {{choice, target}};
    size_t len = 0;
    arena_init(&arena, 1024 * 1024);
    assert_int_equal(leak_parse(slice_of_text(text), LEAK_GUESS, &leak, &error), STATUS_OK);
    enum status status =
        columns_guess(&policy, &leak, choices, choice == NULL ? 0 : 1, &arena, &columns, &error);
    if (status != STATUS_OK)
        snprintf(out, sizeof out, "%s; %s", error.message, error.hint);
    for (size_t i = 0; i < columns.count; i++) {
        const struct column *column = &columns.all[i];
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%s", i == 0 ? "" : " ",
                                column->how == NULL ? "-" : column->how);
        if (column->how == NULL)
            continue;
        len += (size_t)snprintf(out + len, sizeof out - len, "/%s/%d",
                                !column->is_key                    ? ""
                                : column->kind == COLUMNS_ANY_KIND ? "any"
                                                                   : kinds[column->kind].name,
                                (int)column->field);
        for (size_t t = 0; t < column->target_count; t++)
            len += (size_t)snprintf(out + len, sizeof out - len, "%s%s.%s", t == 0 ? "/" : ",",
                                    column->targets[t].dataset, column->targets[t].column);
    }
    leak_free(&leak);
    arena_free(&arena);
    return out;
}

static void by_name(void **state)
{
    assert_string_equal(guessed("Customer ID,full name,colour\n1,Ann,red\n", NULL, NULL),
                        "name/customer/0/customer.customer_id name//1/customer.full_name -");
    assert_string_equal(guessed("owner,car.phone\n1,+44 7700 900123\n", NULL, NULL),
                        "name/customer/0/car.owner name//3/car.phone");
    assert_string_equal(guessed("phone\n+44 7700 900123\n", NULL, NULL),
                        "name//3/customer.phone,car.phone");
    assert_string_equal(guessed("{\"entrant_id\": 7, \"email\": \"a@b.example\"}", NULL, NULL),
                        "name/entrant/0/entrant.entrant_id name//2/entrant.email");
}

static void by_meaning(void **state)
{
    assert_string_equal(
        guessed("token,e-mail address,Chassis,dob\nt,x,y,z\n", NULL, NULL),
        "meaning/any/0/customer.customer_id,entrant.entrant_id "
        "meaning//2/customer.mail_to,entrant.email meaning//0/car.vin meaning//6/customer.born");
    assert_string_equal(guessed("name,zip\nAnn,YO1 7HH\n", NULL, NULL),
                        "meaning//1/customer.full_name meaning//4/customer.postcode,customer.town");
}

static void by_looks(void **state)
{
    assert_string_equal(
        guessed("17,a@b.example,AB12 CDE,WVWZZZ1JZXW000001,Ann\n18,c@d.example,AB12 "
                "CDF,WVWZZZ1JZXW000002,Bob\n",
                NULL, NULL),
        "looks/any/0/customer.customer_id,entrant.entrant_id "
        "looks//2/customer.mail_to,entrant.email looks//0/car.vrm looks//0/car.vin -");
    assert_string_equal(guessed("x,y\nt0123456789abcdef0123456789abcdef,1\n", NULL, NULL),
                        "looks/any/0/customer.customer_id,entrant.entrant_id -");
}

static void as_said(void **state)
{
    assert_string_equal(guessed("x\nAnn\n", "x", "customer.mail_to"), "given//2/customer.mail_to");
    assert_string_equal(guessed("x\n7\n", "x", "car.owner"), "given/customer/0/car.owner");
    assert_string_equal(guessed("email,phone\na,b\n", "phone", ""), "name//2/entrant.email -");
    assert_non_null(strstr(guessed("x,y\n7,8\n", "z", "car.owner"), "no column \"z\"; it has"));
    assert_non_null(strstr(guessed("x\n7\n", "x", "car.nothing"), "no column car.nothing"));
}

static void nobody_can_be_found(void **state)
{
    assert_non_null(strstr(guessed("vin,name\nx,y\n", NULL, NULL), "no column leads to a person"));
    assert_non_null(strstr(guessed("postcode\nx\n", NULL, NULL), "--column NAME="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_name),
        cmocka_unit_test(by_meaning),
        cmocka_unit_test(by_looks),
        cmocka_unit_test(as_said),
        cmocka_unit_test(nobody_can_be_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
