/* Lists of subject keys: what people have in their files is read, what is doubtful is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/key_list.h"

/* The keys, joined by '|'; or the error. Static. */
static const char *read_as(const char *bytes, size_t len, const char *column)
{
    static char text[1024];
    struct key_list list;
    struct error error = {0};
    size_t put = 0;
    text[0] = '\0';
    if (key_list_parse(slice_of(bytes, len), column, &list, &error) != STATUS_OK) {
        snprintf(text, sizeof text, "error: %s", error.message);
        return text;
    }
    for (size_t i = 0; i < list.count; i++)
        put += (size_t)snprintf(text + put, sizeof text - put, "%s%.*s", i == 0 ? "" : "|",
                                (int)list.keys[i].len, (const char *)list.keys[i].data);
    if (list.duplicates > 0)
        snprintf(text + put, sizeof text - put, " (%zu)", list.duplicates);
    key_list_free(&list);
    return text;
}

static void expect(const char *file, const char *want)
{
    const char *got = read_as(file, strlen(file), "customer_id");
    if (strcmp(got, want) != 0)
        fail_msg("\"%s\" was read as \"%s\", expected \"%s\"", file, got, want);
}

static void one_key_a_line(void **state)
{
    expect("12\n7\n", "12|7");
    expect("12\n7", "12|7");
    expect("\xEF\xBB\xBF"
           "12\r\n\r\n7\r\n\n",
           "12|7");
    expect("7\n12\n7\n7\n", "12|7 (2)");
    expect("a b\n\"a,b\"\nZo\xC3\xAB\n", "Zo\xC3\xAB|a b|a,b");
}

static void a_csv_names_the_column(void **state)
{
    expect("customer_id\n12\n7\n", "12|7");
    expect("Customer ID\n12\n7\n", "12|7");
    expect("name,customer_id,phone\nAnn,12,1\n\"Bo, Jr\",7,2\n", "12|7");
    expect("name;\"customer_id\"\r\nAnn;12\r\n;\r\nBo;7\r\n", "12|7");
    expect("customer_id\tname\n12\tAnn, of Bath\n", "12");
    expect("name,customer_id\n\"A \"\"x\"\"\nsecond line\",12\nBo,\"7\"\n", "12|7");
    expect("customer_id,name\n\"a\"\"b\",Ann\n", "a\"b");
}

static void doubtful_lines_are_refused(void **state)
{
    char long_key[300];
    memset(long_key, 'x', sizeof long_key);
    memcpy(long_key, "1\n2\n", 4);
    assert_string_equal(read_as(long_key, sizeof long_key, "customer_id"),
                        "error: line 3: the key is longer than 255 bytes");
    assert_int_equal(strlen(read_as(long_key, 4 + 255, "customer_id")), strlen("1|2|") + 255);
    assert_string_equal(read_as("1\n\0002\n", 5, "customer_id"),
                        "error: line 2: the file is not UTF-8 text");
    expect("", "error: there is no key in it");
    expect("\n\r\n", "error: there is no key in it");
    expect("customer_id,name\n", "error: there is no key in it");
    expect("id,name\n12,Ann\n",
           "error: line 1 has several fields, and none is called \"customer_id\"");
    expect("1\n2,Ann\n", "error: line 2 has several fields");
    expect("name,customer_id\nAnn,12\nBo\n", "error: line 3: there is no key");
    expect("name,customer_id\nAnn,12\n\nBo,\n", "error: line 4: there is no key");
    expect("name,customer_id\n\"Ann,12\n", "error: line 2: a quote is opened and never closed");
    expect("name,customer_id\n\"Ann\"x,12\n", "error: line 2: text behind a closing quote");
    expect("name,customer_id\nAnn,\"1\n2\"\n", "error: line 2: the key has a line end in it");
    expect("1\n2 \n", "error: line 2: the key begins or ends with a blank");
    expect("name,customer_id\nAnn, 12\n", "error: line 2: the key begins or ends with a blank");
    expect("1\nZo\xEB\n", "error: line 2: the file is not UTF-8 text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key_a_line),
        cmocka_unit_test(a_csv_names_the_column),
        cmocka_unit_test(doubtful_lines_are_refused),
    };
    return cmocka_run_group_tests_name("cli/key_list", tests, NULL, NULL);
}
