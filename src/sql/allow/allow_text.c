/* Functions over text, bytes, identifiers and network addresses.
 * Not here, for a reason: convert_from, convert_to (look conversions up in the catalogue), text
 * search (dictionaries are files and settings), xml. */
#include "sql/allow/allow_table.h"

#define TEXTUAL "works on its text argument alone"
#define DIGEST  "hashes its argument alone"
#define REGEX   "matches a regular expression; statement_timeout bounds its time"
#define WRITTEN "stands for a piece of SQL syntax"
#define BYTES   "works on its bytes alone"
#define ADDRESS "works on its network address alone"
#define LONG    "puts text together; how much, is a small literal"
#define CHANCE  "a random value, that no data decides"

/* name(text) */
#define OF_TEXT(name, result) ONE(name, TEXTOID, result, TOTAL | IMMUTABLE, TEXTUAL)
#define TRIMS(name)                                                                                \
    OF_TEXT(name, TEXTOID), TWO(name, TEXTOID, TEXTOID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL)
#define HASH(name) ONE(name, BYTEAOID, BYTEAOID, TOTAL | IMMUTABLE, DIGEST)

static const struct allow_signature functions[] = {
    OF_TEXT("length", INT4OID),
    ONE("length", BYTEAOID, INT4OID, TOTAL | IMMUTABLE, TEXTUAL),
    OF_TEXT("char_length", INT4OID),
    OF_TEXT("character_length", INT4OID),
    OF_TEXT("octet_length", INT4OID),
    ONE("octet_length", BYTEAOID, INT4OID, TOTAL | IMMUTABLE, TEXTUAL),
    OF_TEXT("bit_length", INT4OID),
    OF_TEXT("lower", TEXTOID),
    OF_TEXT("upper", TEXTOID),
    OF_TEXT("initcap", TEXTOID),
    OF_TEXT("reverse", TEXTOID),
    OF_TEXT("md5", TEXTOID),
    ONE("md5", BYTEAOID, TEXTOID, TOTAL | IMMUTABLE, DIGEST),
    TRIMS("btrim"),
    TRIMS("ltrim"),
    TRIMS("rtrim"),
    TWO("left", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("right", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("substr", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    THREE("substr", TEXTOID, INT4OID, INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    TWO("substring", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("substring", TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, REGEX),
    THREE("substring", TEXTOID, INT4OID, INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    THREE("substring", TEXTOID, TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, REGEX),
    TWO("strpos", TEXTOID, TEXTOID, INT4OID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("position", TEXTOID, TEXTOID, INT4OID, TOTAL | IMMUTABLE, WRITTEN),
    TWO("starts_with", TEXTOID, TEXTOID, BOOLOID, TOTAL | IMMUTABLE, TEXTUAL),
    THREE("overlay", TEXTOID, TEXTOID, INT4OID, TEXTOID, IMMUTABLE, WRITTEN),
    FOUR("overlay", TEXTOID, TEXTOID, INT4OID, INT4OID, TEXTOID, IMMUTABLE, WRITTEN),
    THREE("replace", TEXTOID, TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, TEXTUAL),
    THREE("translate", TEXTOID, TEXTOID, TEXTOID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    THREE("split_part", TEXTOID, TEXTOID, INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    TWO("string_to_array", TEXTOID, TEXTOID, TEXTARRAYOID, IMMUTABLE, TEXTUAL),
    THREE("string_to_array", TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, IMMUTABLE, TEXTUAL),
    MANY("concat", TEXTOID, 0, "puts texts together; writes dates by the session's settings"),
    MANY("concat_ws", TEXTOID, 0, "puts texts together; writes dates by the session's settings"),
    ONE("ascii", TEXTOID, INT4OID, IMMUTABLE, TEXTUAL),
    ONE("chr", INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    ONE("to_hex", INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    ONE("to_hex", INT8OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("encode", BYTEAOID, TEXTOID, TEXTOID, IMMUTABLE, TEXTUAL),
    TWO("decode", TEXTOID, TEXTOID, BYTEAOID, IMMUTABLE, TEXTUAL),
    HASH("sha224"),
    HASH("sha256"),
    HASH("sha384"),
    HASH("sha512"),
    TWO("like_escape", TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, WRITTEN),
    ONE("similar_to_escape", TEXTOID, TEXTOID, IMMUTABLE, WRITTEN),
    TWO("similar_to_escape", TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, WRITTEN),
    MANY("normalize", TEXTOID, IMMUTABLE, WRITTEN),
    MANY("is_normalized", BOOLOID, IMMUTABLE, WRITTEN),
    MANY("regexp_like", BOOLOID, IMMUTABLE, REGEX),
    MANY("regexp_replace", TEXTOID, IMMUTABLE, REGEX),
    MANY("regexp_match", TEXTARRAYOID, IMMUTABLE, REGEX),
    MANY("regexp_substr", TEXTOID, IMMUTABLE, REGEX),
    MANY("regexp_count", INT4OID, IMMUTABLE, REGEX),
    MANY("regexp_instr", INT4OID, IMMUTABLE, REGEX),
    MANY("regexp_split_to_array", TEXTARRAYOID, IMMUTABLE, REGEX),
    THREE("lpad", TEXTOID, INT4OID, TEXTOID, TEXTOID, LENGTH | IMMUTABLE, LONG),
    TWO("lpad", TEXTOID, INT4OID, TEXTOID, LENGTH | IMMUTABLE, LONG),
    THREE("rpad", TEXTOID, INT4OID, TEXTOID, TEXTOID, LENGTH | IMMUTABLE, LONG),
    TWO("rpad", TEXTOID, INT4OID, TEXTOID, LENGTH | IMMUTABLE, LONG),
    TWO("repeat", TEXTOID, INT4OID, TEXTOID, LENGTH | IMMUTABLE, LONG),
    MANY("format", TEXTOID, LENGTH, LONG),

    /* bytes */
    TWO("get_byte", BYTEAOID, INT4OID, INT4OID, IMMUTABLE, BYTES),
    TWO("get_bit", BYTEAOID, INT8OID, INT4OID, IMMUTABLE, BYTES),
    ONE("bit_count", BYTEAOID, INT8OID, TOTAL | IMMUTABLE, BYTES),

    /* identifiers and networks */
    NONE("gen_random_uuid", UUIDOID, ALLOW_VOLATILE | TOTAL, CHANCE),
    ONE("host", INETOID, TEXTOID, TOTAL | IMMUTABLE, ADDRESS),
    ONE("family", INETOID, INT4OID, TOTAL | IMMUTABLE, ADDRESS),
    ONE("masklen", INETOID, INT4OID, TOTAL | IMMUTABLE, ADDRESS),
    ONE("network", INETOID, CIDROID, TOTAL | IMMUTABLE, ADDRESS),
    ONE("netmask", INETOID, INETOID, TOTAL | IMMUTABLE, ADDRESS),
    ONE("hostmask", INETOID, INETOID, TOTAL | IMMUTABLE, ADDRESS),
    ONE("broadcast", INETOID, INETOID, TOTAL | IMMUTABLE, ADDRESS),
    ONE("abbrev", INETOID, TEXTOID, TOTAL | IMMUTABLE, ADDRESS),
    TWO("inet_same_family", INETOID, INETOID, BOOLOID, TOTAL | IMMUTABLE, ADDRESS),
    TWO("inet_merge", INETOID, INETOID, CIDROID, IMMUTABLE, ADDRESS),
};

ALLOW_LIST(text, functions);
