-- A Django 5 project (admin, auth, sessions and a "shop" app) as `manage.py migrate` leaves it.
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL, "first_name" varchar(150) NOT NULL);
CREATE TABLE "auth_user_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_user_user_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "django_admin_log" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "object_id" text NULL, "object_repr" varchar(200) NOT NULL, "action_flag" smallint unsigned NOT NULL CHECK ("action_flag" >= 0), "change_message" text NOT NULL, "content_type_id" integer NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "action_time" datetime NOT NULL);
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
CREATE TABLE "shop_category" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(80) NOT NULL, "slug" varchar(50) NOT NULL UNIQUE, "order" integer unsigned NOT NULL CHECK ("order" >= 0), "parent_id" bigint NULL REFERENCES "shop_category" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "shop_customer" ("id" char(32) NOT NULL PRIMARY KEY, "email" varchar(254) NOT NULL COLLATE "NOCASE", "birthday" date NULL, "newsletter" bool NULL, "ip" char(39) NULL, "preferences" text NOT NULL CHECK ((JSON_VALID("preferences") OR "preferences" IS NULL)), "user_id" integer NULL UNIQUE REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "shop_product" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "sku" varchar(20) NOT NULL UNIQUE, "title" varchar(200) NOT NULL, "description" text NOT NULL, "price" decimal NOT NULL, "weight_kg" real NULL, "stock" integer unsigned NOT NULL CHECK ("stock" >= 0), "image" BLOB NULL, "opens_at" time NULL, "lead_time" bigint NULL, "data" text NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "category_id" bigint NOT NULL REFERENCES "shop_category" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "shop_product_price_not_negative" CHECK ("price" >= 0));
CREATE TABLE "shop_order" ("id" char(32) NOT NULL PRIMARY KEY, "number" bigint unsigned NOT NULL UNIQUE CHECK ("number" >= 0), "status" varchar(10) NOT NULL, "created" datetime NOT NULL, "total" decimal NOT NULL, "note" text NOT NULL, "customer_id" char(32) NOT NULL REFERENCES "shop_customer" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "shop_order_status_valid" CHECK ("status" IN ('cart', 'paid', 'shipped', 'cancelled')));
CREATE TABLE "shop_orderline" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "order" integer unsigned NOT NULL CHECK ("order" >= 0), "quantity" smallint unsigned NOT NULL CHECK ("quantity" >= 0), "price" decimal NOT NULL, "order_id" char(32) NOT NULL REFERENCES "shop_order" ("id") DEFERRABLE INITIALLY DEFERRED, "product_id" bigint NOT NULL REFERENCES "shop_product" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "shop_orderline_unique_position" UNIQUE ("order_id", "order"));
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
CREATE UNIQUE INDEX "auth_user_groups_user_id_group_id_94350c0c_uniq" ON "auth_user_groups" ("user_id", "group_id");
CREATE INDEX "auth_user_groups_user_id_6a12ed8b" ON "auth_user_groups" ("user_id");
CREATE INDEX "auth_user_groups_group_id_97559544" ON "auth_user_groups" ("group_id");
CREATE UNIQUE INDEX "auth_user_user_permissions_user_id_permission_id_14a6b632_uniq" ON "auth_user_user_permissions" ("user_id", "permission_id");
CREATE INDEX "auth_user_user_permissions_user_id_a95ead1b" ON "auth_user_user_permissions" ("user_id");
CREATE INDEX "auth_user_user_permissions_permission_id_1fbb5f2c" ON "auth_user_user_permissions" ("permission_id");
CREATE INDEX "django_admin_log_content_type_id_c4bce8eb" ON "django_admin_log" ("content_type_id");
CREATE INDEX "django_admin_log_user_id_c564eba6" ON "django_admin_log" ("user_id");
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
CREATE INDEX "shop_category_parent_id_4ad1a5c1" ON "shop_category" ("parent_id");
CREATE UNIQUE INDEX "shop_customer_email_lower_uniq" ON "shop_customer" ((LOWER("email")));
CREATE INDEX "shop_product_category_id_7c6b5a4f" ON "shop_product" ("category_id");
CREATE INDEX "shop_product_in_stock" ON "shop_product" ("category_id", "price" DESC) WHERE "stock" > 0;
CREATE UNIQUE INDEX "shop_order_one_cart_per_customer" ON "shop_order" ("customer_id") WHERE "status" = 'cart';
CREATE INDEX "shop_order_created_desc" ON "shop_order" ("created" DESC);
CREATE INDEX "shop_order_customer_id_1f0cdf0e" ON "shop_order" ("customer_id");
CREATE INDEX "shop_orderline_order_id_b8a0a2f1" ON "shop_orderline" ("order_id");
CREATE INDEX "shop_orderline_product_id_d1c9a3e2" ON "shop_orderline" ("product_id");
CREATE VIEW "shop_order_totals" AS SELECT "o"."id", "o"."number", COUNT("l"."id") AS "lines", COALESCE(SUM("l"."quantity" * "l"."price"), 0) AS "sum" FROM "shop_order" "o" LEFT JOIN "shop_orderline" "l" ON ("l"."order_id" = "o"."id") GROUP BY "o"."id", "o"."number";

INSERT INTO "django_migrations" VALUES
(1, 'contenttypes', '0001_initial', '2025-03-01 10:00:00.101112'), (2, 'auth', '0001_initial', '2025-03-01 10:00:00.131415'),
(3, 'admin', '0001_initial', '2025-03-01 10:00:00.161718'), (4, 'sessions', '0001_initial', '2025-03-01 10:00:00.192021'),
(5, 'shop', '0001_initial', '2025-03-01 10:00:01'), (6, 'shop', '0002_customer_email_nocase', '2025-04-02 08:15:30.000042');
INSERT INTO "django_content_type" VALUES (1, 'admin', 'logentry'), (2, 'auth', 'permission'), (3, 'auth', 'group'), (4, 'auth', 'user'), (5, 'contenttypes', 'contenttype'), (6, 'sessions', 'session'), (7, 'shop', 'category'), (8, 'shop', 'customer'), (9, 'shop', 'product'), (10, 'shop', 'order'), (11, 'shop', 'orderline');
INSERT INTO "auth_permission" ("content_type_id", "codename", "name")
SELECT c."id", a."column1" || '_' || c."model", 'Can ' || a."column1" || ' ' || c."model" FROM "django_content_type" c, (VALUES ('add'), ('change'), ('delete'), ('view')) a ORDER BY c."id", a."column1";
INSERT INTO "auth_group" VALUES (1, 'Lager & Versand'), (2, 'Buchhaltung'), (3, 'Support 💬');
INSERT INTO "auth_group_permissions" VALUES (1, 1, 33), (2, 1, 34), (3, 2, 40), (4, 3, 32);
INSERT INTO "auth_user" VALUES
(1, 'pbkdf2_sha256$870000$notasalt$bm90LWEtcmVhbC1oYXNo', '2025-11-01 07:30:12.345678', 1, 'admin', '', 'admin@example.com', 1, 1, '2025-03-01 10:05:00', ''),
(2, '!Xn0tUsable00000000000000000000000000000', NULL, 0, 'Jürgen', 'Weiß', 'juergen@example.de', 1, 1, '2025-03-02 11:22:33.000001', 'Jürgen'),
(3, '', NULL, 0, 'jürgen', 'Weiss', '', 0, 0, '2025-03-02 11:22:34', ''),
(4, 'pbkdf2_sha256$870000$notasalt$cXV4', '2025-10-31 23:59:59.999999', 0, 'maria@example.com', 'da Silva', 'maria@example.com', 0, 1, '2025-05-05 05:05:05.505050', 'Maria');
INSERT INTO "auth_user_groups" VALUES (1, 2, 1), (2, 2, 2);
INSERT INTO "auth_user_user_permissions" VALUES (1, 2, 28);
INSERT INTO "django_admin_log" VALUES
(1, '1', 'Käse', 1, '[{"added": {}}]', 7, 1, '2025-03-01 10:10:00.500000'), (2, '1', 'Käse', 2, '[{"changed": {"fields": ["Order", "Slug"]}}]', 7, 1, '2025-03-01 10:11:00'), (3, NULL, 'gone', 3, '', NULL, 2, '2025-03-03 09:00:00.000009');
INSERT INTO "shop_category" VALUES (1, 'Käse', 'kase', 0, NULL), (2, 'Weichkäse', 'weichkase', 1, 1), (3, 'Wein 🍷', 'wein', 1, NULL), (4, '', 'empty-name', 4294967295, 3);
INSERT INTO "shop_customer" VALUES
('550e8400e29b41d4a716446655440000', 'Maria@Example.com', '1988-02-29', 1, '2001:db8::ff00:42:8329', '{"theme": "dark", "sizes": [1, 2.5, null]}', 4),
('6ba7b8109dad11d180b400c04fd430c8', 'gast@example.org', NULL, NULL, '203.0.113.9', '{}', NULL),
('00000000000040008000000000000001', 'ÄRGER@example.org', '1970-01-01', 0, NULL, '[]', NULL);
INSERT INTO "shop_product" VALUES
(1, 'BRIE-200', 'Brie "extra"', 'Mild.' || char(10) || 'Zweite Zeile.', '4.99', 0.2, 120, NULL, '08:00:00', 172800000000, '{"milk": "cow"}', 2),
(2, 'RIES-075', 'Riesling trocken', '', '20.00', 1.3, 0, x'89504E470D0A1A0A0000000D49484452', '09:30:00.250000', NULL, NULL, 3),
(3, 'GIFT', 'Gutschein 🎁', 'Ein Geschenk – ohne Gewicht', '0', NULL, 9999, x'', NULL, 0, 'null', 4);
INSERT INTO "shop_order" VALUES
('7d444840957611d3bc7c0000c0a80101', 1, 'paid', '2025-06-01 12:00:00', '24.99', '', '550e8400e29b41d4a716446655440000'),
('7d444840957611d3bc7c0000c0a80102', 9007199254740993, 'cart', '2025-06-02 12:00:00.000001', '0', 'bitte klingeln 🔔', '550e8400e29b41d4a716446655440000'),
('7d444840957611d3bc7c0000c0a80103', 3, 'cart', '2025-06-03 00:00:00.120000', '4.99', '', '6ba7b8109dad11d180b400c04fd430c8');
INSERT INTO "shop_orderline" VALUES (1, 0, 1, '4.99', '7d444840957611d3bc7c0000c0a80101', 1), (2, 1, 1, '20.00', '7d444840957611d3bc7c0000c0a80101', 2), (3, 0, 1, '4.99', '7d444840957611d3bc7c0000c0a80103', 1);
INSERT INTO "django_session" VALUES ('0123456789abcdefghijklmnopqrstuvwxyzabcd', '.eJxVjDsOwjAQBe_iGlmO4y8lPWewdu1dHEC2FCcV4u4QKQW0b2beSyTY1pq2QUuaiziLIE6_G0J-UNtBuUO7dZl7W5cZ5a7Igw557YWel8P9O6gw6rdOIVpryXqFnrSH:1tExAm:fake', '2025-12-01 00:00:00');
