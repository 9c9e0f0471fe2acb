-- Checks what the demo's data promises and prints one line a promise: name | holds | detail.
-- The VIN's and the IBAN's arithmetic are written anew here, digit by digit.
\set ON_ERROR_STOP on
\if :{?scale}
\else
\set scale 1
\endif
WITH letter (letter, value) AS (
    SELECT substr('ABCDEFGHJKLMNPRSTUVWXYZ', n, 1), (array[1,2,3,4,5,6,7,8,1,2,3,4,5,7,9,2,3,4,5,6,7,8,9])[n]
      FROM generate_series(1, 23) AS n
    UNION ALL SELECT n::text, n FROM generate_series(0, 9) AS n
), vin AS (
    SELECT vehicle_id, vin, sum(value * (array[8,7,6,5,4,3,2,10,0,9,8,7,6,5,4,3,2])[place]) % 11 AS remainder
      FROM crm.vehicle, generate_series(1, 17) AS place JOIN letter ON true
     WHERE letter.letter = substr(vin, place, 1) GROUP BY vehicle_id, vin
), counts (relation, wanted, found) AS (
    SELECT 'customer', round(200000 * :scale), count(*) FROM crm.customer UNION ALL
    SELECT 'enquirer', round(40000 * :scale), count(*) FROM crm.enquirer UNION ALL
    SELECT 'vehicle', round(260000 * :scale), count(*) FROM crm.vehicle UNION ALL
    SELECT 'service_visit', round(400000 * :scale), count(*) FROM crm.service_visit UNION ALL
    SELECT 'service_line', round(1000000 * :scale), count(*) FROM crm.service_line
), promise (name, holds, detail) AS (
    SELECT 'count of ' || relation, wanted = found, found || ' of ' || wanted FROM counts
    UNION ALL
    SELECT 'VINs: 17 characters, none of I, O, Q', bool_and(vin ~ '^[A-HJ-NPR-Z0-9]{17}$'), count(*)::text
      FROM crm.vehicle
    UNION ALL
    SELECT 'VINs: check digit', bool_and(substr(vin, 9, 1) = CASE remainder WHEN 10 THEN 'X' ELSE remainder::text END),
           count(*)::text FROM vin
    UNION ALL
    SELECT 'registration marks: form, unique',
           bool_and(registration ~ '^[A-HJ-PR-Y]{2}[0-9]{2} [A-HJ-PR-Y]{3}$')
               AND count(DISTINCT registration) = count(*), count(*)::text FROM crm.vehicle
    UNION ALL
    SELECT 'IBANs: check digits', bool_and(
               (SELECT string_agg(CASE WHEN c ~ '[A-Z]' THEN (ascii(c) - 55)::text ELSE c END, '' ORDER BY place)
                  FROM regexp_split_to_table(substr(iban, 5) || left(iban, 4), '') WITH ORDINALITY AS t (c, place)
               )::numeric % 97 = 1), count(*)::text
      FROM crm.payment_method WHERE iban IS NOT NULL
    UNION ALL
    SELECT 'names of many scripts', count(DISTINCT script) >= 10, count(DISTINCT script)::text
      FROM (SELECT ascii(full_name) / 128 AS script FROM crm.customer) AS scripts
    UNION ALL
    SELECT 'names: short and long', min(length(full_name)) <= 3 AND max(length(full_name)) > 60,
           min(length(full_name)) || ' to ' || max(length(full_name)) FROM crm.customer
    UNION ALL
    SELECT 'duplicate names', count(*) - count(DISTINCT full_name) > count(*) / 10,
           (count(*) - count(DISTINCT full_name))::text FROM crm.customer
    UNION ALL
    SELECT 'nulls: phone, email, birth_date, gender, street',
           least(count(*) - count(phone), count(*) - count(email), count(*) - count(birth_date),
                 count(*) - count(gender), count(*) - count(street)) > 0,
           concat_ws(' ', count(*) - count(phone), count(*) - count(email), count(*) - count(birth_date),
                     count(*) - count(gender), count(*) - count(street)) FROM crm.customer
    UNION ALL
    SELECT 'vehicles without an owner', count(*) > 0, count(*)::text FROM crm.vehicle WHERE owner_id IS NULL
    UNION ALL
    SELECT 'people with several vehicles', count(*) > 0, count(*)::text
      FROM (SELECT owner_id FROM crm.vehicle GROUP BY owner_id HAVING count(*) > 1) AS several
    UNION ALL
    SELECT 'households that share an address', count(*) > 0, count(*)::text
      FROM (SELECT street FROM crm.customer GROUP BY street, postcode HAVING count(*) > 1) AS shared
    UNION ALL
    SELECT 'two brands, four countries', count(DISTINCT brand) = 2 AND count(DISTINCT country) = 4,
           string_agg(DISTINCT country, ' ') FROM crm.customer
    UNION ALL
    SELECT 'flags: gone away, deceased, safe contact',
           least(count(*) FILTER (WHERE gone_away), count(*) FILTER (WHERE deceased),
                 count(*) FILTER (WHERE safe_contact)) > 0,
           concat_ws(' ', count(*) FILTER (WHERE gone_away), count(*) FILTER (WHERE deceased),
                     count(*) FILTER (WHERE safe_contact)) FROM crm.customer
    UNION ALL
    SELECT 'visits: totals are the sum of their lines', count(*) = 0, count(*)::text
      FROM crm.service_visit JOIN (SELECT visit_id, sum(price_pence) AS total FROM crm.service_line GROUP BY 1) AS s
     USING (visit_id) WHERE total <> total_pence
)
SELECT name, holds, detail FROM promise;
