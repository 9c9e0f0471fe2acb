-- What people and places are called, and pick(): the only source of variety.
-- Everything here is temporary and gone with the loading session.

-- A number in [0, bound) that depends on n and salt alone. hashint8extended is what hash
-- partitioning rests on, so its results do not change between versions.
CREATE FUNCTION pg_temp.pick(n bigint, salt integer, bound integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT ((hashint8extended(n, salt) & 9223372036854775807) % bound)::integer $$;

-- The element of names that (n, salt) falls on.
CREATE FUNCTION pg_temp.choose(n bigint, salt integer, names text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT names[1 + ((hashint8extended(n, salt) & 9223372036854775807)
                            % cardinality(names))::integer] $$;

-- family_first: the family name is written first; joiner: what stands between the parts.
CREATE TEMPORARY TABLE culture (
    name text PRIMARY KEY, family_first boolean, joiner text, languages text[],
    female text[], male text[], family text[]);
INSERT INTO culture VALUES
('british', false, ' ', '{en}',
 '{Olivia,Amelia,Margaret,Susan,Emily,Charlotte,Sophie,Grace,Alice,Ruth,Hannah,Patricia,Jean,Dorothy,Chloe,Megan,Lucy,Zoë,Eleanor,Harriet,Isla,Freya,Joan,Sheila,Gwen,Bronwen,Siân,Ffion,Morag,Eilidh}',
 '{Oliver,George,Harry,Jack,David,John,Paul,Peter,Michael,Thomas,William,James,Robert,Andrew,Ian,Colin,Alan,Graham,Arthur,Stanley,Owen,Rhys,Dylan,Gareth,Angus,Hamish,Callum,Ewan,Daniel,Luke}',
 '{Smith,Jones,Taylor,Brown,Williams,Wilson,Johnson,Davies,Robinson,Wright,Thompson,Evans,Walker,White,Roberts,Green,Hall,Wood,Jackson,Clarke,Patel,Khan,Lewis,James,Phillips,Mason,Mitchell,Rose,Davis,Rodgers,Cholmondeley,Featherstonehaugh,MacDonald,Campbell,Fraser,Llewellyn,Gruffudd,Ng,Okafor,Adeyemi}'),
('irish', false, ' ', '{en,ga}',
 '{Aoife,Niamh,Saoirse,Ciara,Róisín,Sinéad,Gráinne,Caoimhe,Orla,Bríd,Mary,Nora}',
 '{Seán,Pádraig,Conor,Oisín,Cian,Diarmuid,Eoin,Fionn,Tadhg,Liam,Brendan,Ruairí}',
 '{Murphy,Kelly,"O''Sullivan",Walsh,"O''Brien",Byrne,Ryan,"O''Connor","Ó Súilleabháin","Ní Bhriain",Doyle,McCarthy,Gallagher,Doherty}'),
('polish', false, ' ', '{pl,en}',
 '{Agnieszka,Małgorzata,Żaneta,Katarzyna,Joanna,Łucja,Zofia,Ewa}',
 '{Paweł,Łukasz,Stanisław,Michał,Wojciech,Jarosław,Grzegorz,Józef}',
 '{Nowak,Kowalski,Wiśniewski,Wójcik,Kamiński,Lewandowski,Zieliński,Szymański,Dąbrowski,Brzęczyszczykiewicz}'),
('punjabi', false, ' ', '{en,pa}',
 '{Simran,Harpreet,Jasleen,Manpreet,Aisha,Fatima,Zainab,Priya,Anjali}',
 '{Gurpreet,Harjit,Amrit,Jaspal,Mohammed,Imran,Bilal,Raj,Vikram}',
 '{Singh,Kaur,Gill,Sidhu,Ahmed,Hussain,Begum,Sharma,Iyer,Chaudhry}'),
('french', false, ' ', '{fr}',
 '{Chloé,Léa,Manon,Inès,Zoé,Élodie,Françoise,Hélène,Aurélie,Noémie,Anaïs,Maëlle}',
 '{François,Jérôme,Benoît,Rémi,Gaël,Loïc,Théo,Étienne,Jean-Baptiste,Raphaël,Noël,Hervé}',
 '{Martin,Bernard,Lefèvre,Dubois,Müller,Garçon,Hébert,"de La Rochefoucauld","d''Aubigné",Girard,Béranger,Côté}'),
('german', false, ' ', '{de}',
 '{Jutta,Käthe,Grete,Anneliese,Mia,Frieda,Ursula,Brünhilde,Sabine,Heike,Zoë}',
 '{Jürgen,Günther,Björn,Hans-Peter,Wolfgang,Karl-Heinz,Jörg,Uwe,Matthäus,Lukas,Finn}',
 '{Müller,Schmidt,Schröder,Weiß,Groß,Jäger,Köhler,Krüger,"von und zu Guttenberg-Hohenstein",Vogel,Bäcker,Yıldız}'),
('greek', false, ' ', '{en,el}',
 '{Ελένη,Μαρία,Κατερίνα,Σοφία,Ιωάννα,Δήμητρα}', '{Γιώργος,Νίκος,Δημήτρης,Κώστας,Αλέξανδρος,Σπύρος}',
 '{Παπαδόπουλος,Οικονόμου,Γεωργίου,Νικολαΐδης,Παπαγεωργίου,Χατζηδάκης}'),
('ukrainian', false, ' ', '{en,uk}',
 '{Оксана,Наталія,Юлія,Ірина,Анастасія,Софія}', '{Володимир,Олександр,Дмитро,Сергій,Євген,Юрій}',
 '{Шевченко,Коваленко,Бондаренко,Ткаченко,Мельник,Щербак,Ґалаґан}'),
('chinese', true, '', '{en,zh}',
 '{芳,秀英,丽娜,静怡,雨涵,欣怡}', '{伟,志强,建国,子轩,浩然,俊杰}', '{王,李,张,刘,陈,杨,欧阳,司马}'),
('japanese', true, ' ', '{en,ja}',
 '{陽菜,さくら,美咲,恵子,ユミ}', '{大翔,健太,翔,太郎,ケン}', '{佐藤,鈴木,高橋,田中,渡辺,齋藤}'),
('korean', true, '', '{en,ko}',
 '{서연,지우,민서,하은}', '{민준,서준,도윤,지훈}', '{김,이,박,최,정}'),
('arabic', false, ' ', '{en,ar}',
 '{فاطمة,ليلى,مريم,نور,عائشة,زينب}', '{محمد,أحمد,يوسف,عمر,"عبد الرحمن",خالد}',
 '{الحداد,منصور,النجار,حسين,الأحمد,"بن علي"}'),
('hebrew', false, ' ', '{en,he}', '{שרה,רחל,נועה,תמר}', '{דוד,יוסף,משה,איתן}', '{כהן,לוי,מזרחי,פרץ}'),
('hindi', false, ' ', '{en,hi}', '{प्रिया,अंजलि,सुनीता,कविता}', '{राजेश,विक्रम,अर्जुन,संजय}',
 '{शर्मा,वर्मा,गुप्ता,कुमार,श्रीवास्तव}'),
('thai', false, ' ', '{en,th}', '{สมหญิง,กนกวรรณ,อรทัย}', '{สมชาย,ธนพล,วีรพงศ์}', '{ศรีสุข,วงศ์สวัสดิ์,ทองดี}'),
('vietnamese', true, ' ', '{en,vi}', '{Thị Hương,Ngọc Lan,Thùy Dương}', '{Văn Đức,Minh Tuấn,Quốc Bảo}',
 '{Nguyễn,Trần,Phạm,Đặng,Huỳnh}'),
('spanish', false, ' ', '{en,es}',
 '{"María de los Ángeles",Begoña,Núria,"María José",Concepción}', '{"José Luis",Íñigo,Ramón,"Juan Ignacio",Ángel}',
 '{"García Márquez","Núñez de Balboa","López-Íbor","Muñoz Peña","Fernández de Córdoba y Figueroa"}');

-- area: what the postcode begins with.
CREATE TEMPORARY TABLE town (country text, number integer, city text, area text,
                             PRIMARY KEY (country, number));
INSERT INTO town
SELECT country, row_number() OVER (PARTITION BY country ORDER BY position) - 1, split_part(entry, '/', 1),
       split_part(entry, '/', 2)
  FROM (VALUES
    ('GB', '{Aberdeen/AB,Bath/BA,Belfast/BT,Birmingham/B,Bolton/BL,Bournemouth/BH,Bradford/BD,Brighton/BN,Bristol/BS,Cambridge/CB,Cardiff/CF,Carlisle/CA,Coventry/CV,Derby/DE,Dundee/DD,Edinburgh/EH,Exeter/EX,Glasgow/G,Gloucester/GL,Hull/HU,Inverness/IV,Ipswich/IP,Leeds/LS,Leicester/LE,Liverpool/L,Llandrindod Wells/LD,London/N,London/SE,London/SW,London/NW,Manchester/M,Newcastle upon Tyne/NE,Norwich/NR,Nottingham/NG,Oxford/OX,Plymouth/PL,Portsmouth/PO,Preston/PR,Reading/RG,Sheffield/S,Southampton/SO,Stoke-on-Trent/ST,Swansea/SA,Swindon/SN,Truro/TR,York/YO}'::text[]),
    ('IE', '{Baile Átha Cliath/D02,Dublin/D08,Cork/T12,Galway/H91,Limerick/V94,Waterford/X91,Dún Laoghaire/A96}'),
    ('FR', '{Paris/75,Lyon/69,Marseille/13,Nîmes/30,Besançon/25,Orléans/45,Saint-Étienne/42}'),
    ('DE', '{Berlin/10,Hamburg/20,München/80,Köln/50,Düsseldorf/40,Nürnberg/90,Würzburg/97}')
  ) AS list (country, entries), unnest(entries) WITH ORDINALITY AS town (entry, position);

CREATE TEMPORARY TABLE country (code text PRIMARY KEY, roads text[], culture text, towns integer);
INSERT INTO country
SELECT code, roads, culture, (SELECT count(*) FROM pg_temp.town WHERE town.country = code)
  FROM (VALUES
    ('GB', '{High Street,Station Road,Church Lane,Victoria Road,Park Avenue,Mill Lane,The Green,Queensway,Albert Terrace,St Mary''s Close,Ffordd y Môr,Kirkgate,Orchard Drive,Manor Court,Bishop''s Walk,Heol Las}'::text[], 'british'),
    ('IE', '{Main Street,Sráid Uí Chonaill,Bóthar na Trá,Patrick Street,Church View,Abbey Road}', 'irish'),
    ('FR', '{rue de la Gare,avenue de l''Église,boulevard Général-Leclerc,impasse des Chênes,rue Molière}', 'french'),
    ('DE', '{Gartenstraße,Hauptstraße,Am Mühlbach,Schloßallee,Bahnhofstraße,Königsweg}', 'german')
  ) AS list (code, roads, culture);

-- Ranges that Ofcom, ComReg, ARCEP and the Bundesnetzagentur keep for film and television; three
-- digits follow.
CREATE FUNCTION pg_temp.phone(country text, n bigint, salt integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT pg_temp.choose(n, salt, CASE country
            WHEN 'GB' THEN '{+44 7700 900,+44 7700 900,+44 7700 900,+44 1632 960,+44 20 7946 0,+44 113 496 0,+44 121 496 0,+44 131 496 0,+44 141 496 0,+44 151 496 0,+44 161 496 0,+44 191 498 0,+44 29 2018 0,+44 28 9649 6}'::text[]
            WHEN 'IE' THEN '{+353 20 910 0,+353 20 911 2,+353 20 912 7}'::text[]
            WHEN 'FR' THEN '{+33 6 39 98 0,+33 6 39 98 5,+33 1 99 00 3}'::text[]
            ELSE '{+49 30 23125 ,+49 40 66969 ,+49 89 99998 ,+49 69 90009 }'::text[] END)
          || lpad(pg_temp.pick(n, salt + 1, 1000)::text, 3, '0') $$;
