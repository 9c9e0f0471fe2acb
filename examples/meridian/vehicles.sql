-- Models, dealers, vehicles and their service history, means of payment and credentials.
INSERT INTO crm.model VALUES
    (1, 'meridian', 'Solstice', 'saloon', '2009-09-01'),  (2, 'meridian', 'Solstice Tourer', 'estate', '2010-03-01'),
    (3, 'meridian', 'Equinox', 'hatchback', '2009-03-01'), (4, 'meridian', 'Tropic', 'suv', '2012-06-01'),
    (5, 'meridian', 'Azimuth', 'coupé', '2014-04-01'),     (6, 'meridian', 'Zenith', 'limousine', '2016-10-01'),
    (7, 'meridian', 'Zenith e', 'limousine', '2021-01-15'),
    (8, 'dacre', 'Moor', 'suv', '2009-05-01'),             (9, 'dacre', 'Fell', 'suv', '2011-09-01'),
    (10, 'dacre', 'Tarn', 'hatchback', '2013-03-01'),      (11, 'dacre', 'Beck', 'van', '2015-02-01'),
    (12, 'dacre', 'Beck e', 'van', '2022-05-01');

INSERT INTO crm.dealer
SELECT n, CASE WHEN n % 3 = 0 THEN 'dacre' ELSE 'meridian' END,
       CASE WHEN n % 3 = 0 THEN 'Dacre ' ELSE 'Meridian ' END || town.city
           || CASE WHEN n <= 46 THEN '' ELSE ' ' || pg_temp.choose(n, 90, '{North,South,East,West,Centre}') END,
       town.city, town.area || 1 + n % 9 || ' ' || n % 10 || 'AA', '+44 1632 960' || lpad(n::text, 3, '0')
  FROM generate_series(1, 120) AS n JOIN town ON town.country = 'GB' AND town.number = (n - 1) % 46;

-- The check digit of a VIN, in position 9: 49 CFR 565.15(c), ISO 3779. body has 17 characters, of
-- which the ninth counts for nothing.
CREATE FUNCTION pg_temp.vin_check(body text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE total % 11 WHEN 10 THEN 'X' ELSE (total % 11)::text END
            FROM (SELECT sum(weight * substr(translate(body, 'ABCDEFGHJKLMNPRSTUVWXYZ',
                                                             '12345678123457923456789'),
                                             place::integer, 1)::integer) AS total
                    FROM unnest(array[8,7,6,5,4,3,2,10,0,9,8,7,6,5,4,3,2]) WITH ORDINALITY
                         AS position (weight, place)) AS summed $$;

-- Marks are unique: five letters of an alphabet of 23 are five digits of a number, and
-- n -> 4000037 * n + 12345 is one-to-one modulo 23^5. The two figures tell the half-year.
INSERT INTO crm.vehicle
WITH numbered AS MATERIALIZED (
    SELECT n, 1 + pg_temp.pick(n, 40, greatest(1, round(200000 * :scale)::integer))::bigint AS owner,
           (4000037 * n + 12345) % 6436343 AS mark, 'ABCDEFGHJKLMNOPRSTUVWXY' AS alphabet,
           date '2010-01-01' + pg_temp.pick(n, 41, 5980) AS registered
      FROM generate_series(1, round(260000 * :scale)::bigint) AS n
), modelled AS MATERIALIZED (
    SELECT numbered.*,
           CASE WHEN pg_temp.pick(owner, 13, 10) < 7 THEN 1 + pg_temp.pick(n, 42, 7)
                ELSE 8 + pg_temp.pick(n, 42, 5) END AS model
      FROM numbered
), bodied AS MATERIALIZED (
    SELECT modelled.*,
           CASE WHEN model <= 7 THEN 'SM9' ELSE 'SD9' END || substr('ABCDEFGHJKLM', model, 1)
               || pg_temp.choose(n, 43, '{A,B,C,D}') || lpad(pg_temp.pick(n, 44, 1000)::text, 3, '0') || '0'
               || substr('ABCDEFGHJKLMNPRSTV', extract(year FROM registered)::integer - 2009, 1)
               || pg_temp.choose(n, 45, '{C,N,S}') || lpad(n::text, 6, '0') AS body
      FROM modelled
)
SELECT n, CASE WHEN pg_temp.pick(n, 46, 100) < 4 THEN NULL ELSE owner END,
       overlay(body PLACING pg_temp.vin_check(body) FROM 9 FOR 1),
       substr(alphabet, 1 + (mark / 279841)::integer, 1) || substr(alphabet, 1 + (mark / 12167 % 23)::integer, 1)
           || to_char(CASE WHEN extract(month FROM registered) BETWEEN 3 AND 8
                           THEN extract(year FROM registered) - 2000
                           ELSE extract(year FROM registered - interval '2 months') - 1950 END, 'FM00')
           || ' ' || substr(alphabet, 1 + (mark / 529 % 23)::integer, 1)
           || substr(alphabet, 1 + (mark / 23 % 23)::integer, 1) || substr(alphabet, 1 + (mark % 23)::integer, 1),
       model, registered,
       (date '2026-06-30' - registered) * (8 + pg_temp.pick(n, 47, 60))
  FROM bodied ORDER BY n;

-- Five lines fall on two visits. The same person comes back: visits are spread over the vehicles
-- by a hash, so that some have none and some a dozen.
INSERT INTO crm.service_line
SELECT n, (n - 1) * 2 / 5 + 1,
       pg_temp.choose(n, 50, '{oil filter,engine oil,air filter,pollen filter,brake pads,brake discs,brake fluid,spark plugs,wiper blades,battery,timing belt,coolant,tyre,wheel alignment,headlamp bulb,clutch,inspection,MOT test,software update,recall work}'),
       CASE WHEN pg_temp.pick(n, 50, 20) = 19 THEN 0 ELSE 499 + pg_temp.pick(n, 51, 600) * 50 END
  FROM generate_series(1, round(1000000 * :scale)::bigint) AS n;

INSERT INTO crm.service_visit
SELECT visit_id, vehicle_id, 1 + pg_temp.pick(visit_id, 53, 120),
       first_registered + pg_temp.pick(visit_id, 54, date '2026-06-30' - first_registered), total
  FROM (SELECT visit_id, sum(price_pence) AS total,
               1 + pg_temp.pick(visit_id, 52, greatest(1, round(260000 * :scale)::integer)) AS vehicle_id
          FROM crm.service_line GROUP BY visit_id) AS summed
  JOIN crm.vehicle USING (vehicle_id) ORDER BY visit_id;

-- IBANs of an invented bank, with right check digits (ISO 13616: letters count from A=10, the
-- country and 00 go to the end, 98 less the remainder by 97).
INSERT INTO crm.payment_method
WITH numbered AS MATERIALIZED (
    SELECT customer_id, country,
           lpad(pg_temp.pick(customer_id, 60, 1000000)::text, 6, '0')
               || lpad(pg_temp.pick(customer_id, 61, 100000000)::text, 8, '0') AS digits
      FROM crm.customer WHERE pg_temp.pick(customer_id, 62, 10) < 6
)
SELECT row_number() OVER (ORDER BY customer_id), customer_id,
       CASE WHEN pg_temp.pick(customer_id, 63, 10) < 2 THEN NULL
            WHEN country = 'DE' THEN 'DE' || lpad((98 - (digits || '0000131400')::numeric % 97)::text, 2, '0')
                                          || digits || '0000'
            ELSE 'GB' || lpad((98 - ('22142713' || digits || '161100')::numeric % 97)::text, 2, '0')
                      || 'MERD' || digits END,
       CASE WHEN pg_temp.pick(customer_id, 63, 10) < 5 THEN 'tok_' || md5('card ' || customer_id) END
  FROM numbered ORDER BY customer_id;

INSERT INTO crm.credential
SELECT customer_id, '$argon2id$v=19$m=65536,t=3,p=4$' || md5('salt ' || customer_id) || '$'
                    || md5('password ' || customer_id)
  FROM crm.customer WHERE pg_temp.pick(customer_id, 64, 10) < 5 ORDER BY customer_id;
