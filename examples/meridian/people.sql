-- Fills crm.:target with :share * :scale invented people. :seed keeps customers and enquirers apart.
-- Four people in ten live in households of up to three that share address and family name.
INSERT INTO crm.:target
WITH numbered AS MATERIALIZED (
    SELECT n,
           CASE WHEN pg_temp.pick(n / 3, :seed + 1, 10) < 4 THEN -(n / 3) ELSE n END AS household
      FROM generate_series(1, round(:share * :scale)::bigint) AS n
), placed AS MATERIALIZED (
    SELECT n, household,
           CASE WHEN pg_temp.pick(household, :seed + 2, 100) < 90 THEN 'GB'
                ELSE pg_temp.choose(household, :seed + 3, '{IE,IE,FR,DE}') END AS country,
           pg_temp.pick(household, :seed + 4, 1000) AS origin,
           pg_temp.pick(n, :seed + 5, 100) AS sex
      FROM numbered
), named AS MATERIALIZED (
    SELECT n, household, placed.country, sex, town.city, town.area, culture.*,
           pg_temp.choose(household, :seed + 6, roads) AS road,
           pg_temp.choose(n, :seed + 7, CASE WHEN sex % 2 = 0 THEN female ELSE male END) AS given,
           pg_temp.choose(n, :seed + 8, CASE WHEN sex % 2 = 0 THEN female ELSE male END) AS middle,
           pg_temp.choose(household, :seed + 9, family) AS surname,
           pg_temp.choose(n, :seed + 10, family) AS other_surname
      FROM placed
      JOIN country ON country.code = placed.country
      JOIN culture ON culture.name = CASE
               WHEN origin < 780 THEN country.culture
               ELSE pg_temp.choose(household, :seed + 11,
                        '{irish,polish,polish,punjabi,punjabi,french,german,greek,ukrainian,chinese,japanese,korean,arabic,arabic,hebrew,hindi,thai,vietnamese,spanish}') END
      JOIN town ON town.country = placed.country
               AND town.number = pg_temp.pick(household, :seed + 12, country.towns)
), letters AS MATERIALIZED (
    SELECT named.*, translate(lower(given), ' ''-', '') AS mailbox,
           pg_temp.pick(household, :seed + 35, 100)
               < CASE WHEN :seed = 0 THEN 2 ELSE 30 END AS addressless
      FROM named
)
SELECT n,
       CASE WHEN pg_temp.pick(n, :seed + 13, 10) < 7 THEN 'meridian' ELSE 'dacre' END,
       CASE WHEN family_first THEN surname || joiner || given
            WHEN pg_temp.pick(n, :seed + 14, 2000) = 0 THEN given
            WHEN pg_temp.pick(n, :seed + 14, 2000) = 1
                 THEN given || ' ' || middle || ' ' || other_surname || ' ' || surname || '-' || surname
                      || ' ' || repeat(other_surname || ' ', 4) || 'the younger'
            WHEN pg_temp.pick(n, :seed + 14, 100) < 30 THEN given || ' ' || middle || ' ' || surname
            WHEN pg_temp.pick(n, :seed + 14, 100) < 34 THEN given || ' ' || surname || '-' || other_surname
            ELSE given || ' ' || surname END,
       CASE WHEN pg_temp.pick(n, :seed + 15, 100) < 9 THEN NULL
            ELSE CASE WHEN mailbox ~ '^[a-z]+$' THEN mailbox ELSE 'post' END
                 || CASE WHEN pg_temp.pick(n, :seed + 15, 100) < 12 THEN abs(household) ELSE n + :seed END
                 || '@' || pg_temp.choose(n, :seed + 16,
                              '{mail.example,mail.example,post.example,inbox.example,example.org,example.net}') END,
       CASE WHEN pg_temp.pick(n, :seed + 17, 100) < 16 THEN NULL
            ELSE pg_temp.phone(country, n, :seed + 18) END,
       CASE WHEN pg_temp.pick(n, :seed + 20, 100) < CASE WHEN :seed = 0 THEN 14 ELSE 55 END THEN NULL
            ELSE date '1929-03-01' + pg_temp.pick(n, :seed + 21, CASE WHEN :seed = 0 THEN 28700 ELSE 31200 END) END,
       CASE WHEN sex >= 94 THEN NULL WHEN sex >= 92 THEN 'other'
            WHEN sex % 2 = 0 THEN 'female' ELSE 'male' END,
       CASE WHEN addressless THEN NULL
            WHEN country = 'DE' THEN road || ' ' || 1 + pg_temp.pick(household, :seed + 22, 180)
            ELSE CASE WHEN pg_temp.pick(household, :seed + 23, 10) = 0
                      THEN 'Flat ' || 1 + pg_temp.pick(household, :seed + 24, 40) || ', ' ELSE '' END
                 || 1 + pg_temp.pick(household, :seed + 22, 180) || ' ' || road END,
       CASE WHEN NOT addressless THEN city END,
       CASE WHEN addressless THEN NULL
           WHEN country = 'GB' THEN area || 1 + pg_temp.pick(household, :seed + 25, 20) || ' '
                || pg_temp.pick(household, :seed + 26, 10)
                || substr('ABDEFGHJLNPQRSTUWXYZ', 1 + pg_temp.pick(household, :seed + 27, 20), 1)
                || substr('ABDEFGHJLNPQRSTUWXYZ', 1 + pg_temp.pick(household, :seed + 28, 20), 1)
           WHEN country = 'IE' THEN area || ' '
                || substr('ACDEFHKNPRTVWXY', 1 + pg_temp.pick(household, :seed + 25, 15), 1)
                || lpad(pg_temp.pick(household, :seed + 26, 1000)::text, 3, '0')
           ELSE area || lpad(pg_temp.pick(household, :seed + 25, 1000)::text, 3, '0') END,
       country,
       CASE WHEN country = 'GB' AND area IN ('CF', 'SA', 'LD')
                 AND pg_temp.pick(n, :seed + 29, 10) < 2 THEN 'cy'
            ELSE pg_temp.choose(n, :seed + 29, languages) END,
       pg_temp.pick(n, :seed + 30, 10) < 4,
       pg_temp.pick(n, :seed + 31, 1000) < 35,
       pg_temp.pick(n, :seed + 32, 1000) < 6,
       pg_temp.pick(n, :seed + 33, 1000) < 18,
       timestamptz '2009-01-01 00:00:00+00' + pg_temp.pick(n, :seed + 34, 548640000) * interval '1 second'
  FROM letters ORDER BY n;
