-- Every number that a forecast looks at, once more, from the raw tables `days` and `journal_facts` and one row `asked`
-- (member_id, as_of, origin_day, slot). Written from the words of the docstrings, not from the Python: an exponentially
-- weighted mean is its two sums, a lag is a join, and instants are whole microseconds since 1970.

-- ---- what was known -------------------------------------------------------------------------------------------
CREATE TABLE day_in_force AS
SELECT d.* FROM days d, asked a
WHERE d.member_id = a.member_id AND epoch_us(d.known_at) <= epoch_us(a.as_of)
QUALIFY row_number() OVER (PARTITION BY d.day ORDER BY d.known_at DESC) = 1;
DELETE FROM day_in_force WHERE state = 'vanished' OR day > (SELECT origin_day FROM asked);

CREATE TABLE fact_in_force AS
SELECT f.* FROM journal_facts f, asked a
WHERE f.member_id = a.member_id AND epoch_us(f.known_at) <= epoch_us(a.as_of)
QUALIFY row_number() OVER (PARTITION BY f.fact_key ORDER BY f.known_at DESC, f.revision DESC) = 1;
DELETE FROM fact_in_force WHERE status = 'rejected';

-- ---- the calendar: first scored night to origin, with or without a row ----------------------------------------
CREATE TABLE plain AS
WITH usable AS (SELECT * FROM day_in_force WHERE state = 'scored' AND hrv_rmssd_ms BETWEEN 1 AND 400),
calendar AS (
  SELECT unnest(generate_series((SELECT min(day) FROM usable)::TIMESTAMP, (SELECT origin_day FROM asked)::TIMESTAMP,
                                INTERVAL 1 DAY))::DATE AS day
)
SELECT row_number() OVER (ORDER BY c.day) - 1 AS i, c.day, isodow(c.day) - 1 AS weekday, ln(u.hrv_rmssd_ms) AS log_hrv,
  n.resting_hr_bpm AS rhr, n.resp_rate_rpm AS resp, n.skin_temp_c AS skin, n.asleep_min AS asleep, n.deep_min AS deep,
  n.sleep_debt_min AS debt,
  -- hours on the wearer's clock after noon of the day before: local time = UTC + offset
  (epoch_us(n.sleep_onset_at) + coalesce(n.utc_offset_min, 0)::BIGINT * 60000000
   - (epoch_us(c.day::TIMESTAMP) - 43200000000)) / 3.6e9 AS onset,
  r.strain_0_21 AS strain, r.steps_count AS steps, r.workout_min AS workout, r.nap_min AS nap,
  CASE WHEN r.day IS NULL THEN NULL
       WHEN r.last_workout_end_at IS NULL THEN 0.0
       WHEN (epoch_us(r.last_workout_end_at) + coalesce(r.utc_offset_min, 0)::BIGINT * 60000000) // 3600000000 % 24
            BETWEEN 4 AND 18 THEN 0.0 ELSE 1.0 END AS late_workout,
  r.utc_offset_min AS own_offset, epoch_us(r.day_closed_at) AS closed_us, epoch_us(r.wake_at) AS wake_us
FROM calendar c
LEFT JOIN usable u USING (day)
LEFT JOIN day_in_force r USING (day)
LEFT JOIN (SELECT * FROM day_in_force WHERE state = 'scored') n USING (day);

-- an evening may use the day itself, a morning the day before
CREATE TABLE grid AS
SELECT p.* EXCLUDE (strain, steps, workout, nap, late_workout), b.strain, b.steps, b.workout, b.nap, b.late_workout
FROM plain p LEFT JOIN plain b ON b.i = p.i - (SELECT CASE slot WHEN 'morning' THEN 1 ELSE 0 END FROM asked);

-- ---- when the forecast of each day was due --------------------------------------------------------------------
CREATE TABLE due AS
WITH placed AS (
  SELECT i, closed_us, wake_us, epoch_us(day::TIMESTAMP) AS midnight_us,
    60000000 * coalesce((SELECT p.own_offset FROM plain p WHERE p.i <= plain.i AND p.own_offset IS NOT NULL
                         ORDER BY p.i DESC LIMIT 1), 0)::BIGINT AS offset_us
  FROM plain
)
SELECT i, CASE
  WHEN i = (SELECT max(i) FROM plain) THEN epoch_us(a.as_of)
  WHEN a.slot = 'evening' AND closed_us IS NOT NULL THEN least(closed_us, midnight_us - offset_us + 28 * 3600000000)
  WHEN a.slot = 'evening' THEN midnight_us - offset_us + 22 * 3600000000
  WHEN wake_us IS NOT NULL THEN wake_us + 3600000000
  ELSE midnight_us - offset_us + 10 * 3600000000 END AS due_us
FROM placed, asked a;

-- ---- the journal: what one fact means, then what was said of a night by the time --------------------------------
CREATE TABLE meaning (behaviour VARCHAR, said VARCHAR, factor DOUBLE, bare_yes DOUBLE, most DOUBLE, usual DOUBLE);
INSERT INTO meaning VALUES
  ('alcohol', 'alcohol', 1, 3, 10, 0.7),
  ('sick', 'sick', 1, 1, 1, 0.03), ('sick', 'fever', 1, 1, 1, 0.03),
  ('vaccination', 'vaccination', 1, 1, 1, 0),
  ('training_h', 'workout', 1 / 60.0::DOUBLE, 1, 5, 0.5), ('training_h', 'strength_training', 1 / 60.0::DOUBLE, 1, 5, 0.5),
  ('training_h', 'hiit', 1 / 60.0::DOUBLE, 1, 5, 0.5), ('training_h', 'zone2_cardio', 1 / 60.0::DOUBLE, 1, 5, 0.5),
  ('training_h', 'long_endurance', 1 / 60.0::DOUBLE, 1, 5, 0.5), ('training_h', 'race_or_competition', 1, 1, 5, 0.5),
  ('late_meal', 'late_meal', 1, 1, 1, 0.2), ('late_meal', 'big_meal', 1, 1, 1, 0.2),
  ('caffeine', 'caffeine', 1, 2, 8, 1.5),
  ('stress', 'stress', 1, 6, 10, 4),
  ('travel', 'travel', 1, 1, 1, 0.03), ('travel', 'air_travel', 1, 1, 1, 0.03), ('travel', 'jet_lag', 1, 1, 1, 0.03),
  ('cannabis', 'cannabis', 1, 1, 4, 0),
  ('sauna', 'sauna', 1, 1, 1, 0.05);

CREATE TABLE heard AS
SELECT *, epoch_us(known_at) AS known_us FROM fact_in_force
WHERE night IS NOT NULL AND coalesce(confidence, 1) >= 0.5 AND kind IN ('yes', 'no', 'amount', 'scale');

CREATE TABLE told AS
SELECT m.behaviour, f.night, f.entry_key, f.behaviour AS said, f.known_us, CASE
  WHEN f.kind = 'no' THEN 0.0
  WHEN f.kind = 'yes' AND coalesce(f.amount, 0) = 0 THEN least(m.bare_yes, m.most)
  WHEN f.amount IS NULL OR f.amount < 0 OR isnan(f.amount) THEN least(m.bare_yes, m.most)
  ELSE least(f.amount * m.factor, m.most) END AS dose
FROM heard f JOIN meaning m ON m.said = f.behaviour
UNION ALL
SELECT o.behaviour, f.night, f.entry_key, f.behaviour, f.known_us, 0.0
FROM heard f JOIN (VALUES ('alcohol', 'alcohol_free_day'), ('training_h', 'rest_day')) o(behaviour, said)
  ON o.said = f.behaviour AND f.kind = 'yes';

CREATE TABLE dose AS
SELECT i, h, behaviour, least(max(of_one), any_value(most)) AS dose FROM (
  SELECT g.i, n.h, t.behaviour, t.entry_key, t.said, sum(t.dose) AS of_one, m.most
  FROM grid g, due d, range(1, 8) n(h), told t JOIN (SELECT DISTINCT behaviour, most FROM meaning) m USING (behaviour)
  WHERE d.i = g.i AND t.night = g.day + n.h::INTEGER AND t.known_us <= d.due_us
  GROUP BY ALL
) GROUP BY ALL;

CREATE TABLE usual_dose AS
SELECT g.i, m.behaviour, (5 * m.usual + coalesce(sum(d.dose), 0)) / (5 + count(d.dose)) AS usual
FROM grid g CROSS JOIN (SELECT DISTINCT behaviour, usual FROM meaning) m
LEFT JOIN dose d ON d.behaviour = m.behaviour AND d.h = 1 AND d.i <= g.i
GROUP BY g.i, m.behaviour, m.usual;

-- ---- exponentially weighted means: sum(v w) / sum(w), w = 0.5 ** (age / half-life) ------------------------------
CREATE TABLE series (name VARCHAR, i BIGINT, v DOUBLE);
INSERT INTO series SELECT name, i, v FROM (
  SELECT i, log_hrv AS y, rhr, resp, skin, asleep, deep, debt, onset, strain, steps, workout,
    (log_hrv IS NOT NULL)::INTEGER::DOUBLE AS worn FROM grid
) UNPIVOT (v FOR name IN (y, rhr, resp, skin, asleep, deep, debt, onset, strain, steps, workout, worn));

CREATE MACRO weighted_mean(which, half_life) AS TABLE
SELECT g.i, sum(s.v * pow(0.5, (g.i - s.i) / half_life)) / sum(pow(0.5, (g.i - s.i) / half_life)) AS v
FROM grid g JOIN series s ON s.i <= g.i AND s.name = which GROUP BY g.i;

CREATE TABLE usual AS
SELECT s.name, g.i, sum(s.v * pow(0.5, (g.i - s.i) / 28.0)) / sum(pow(0.5, (g.i - s.i) / 28.0)) AS v
FROM grid g JOIN series s ON s.i <= g.i GROUP BY s.name, g.i;

-- ---- level and spread of the wearer -----------------------------------------------------------------------------
CREATE TABLE anchor AS FROM weighted_mean('y', 14.0);
CREATE TABLE scale AS
WITH surprise AS (
  SELECT g.i, greatest(-0.8, least(0.8, g.log_hrv - a.v)) AS v
  FROM grid g JOIN anchor a ON a.i = g.i - 1 WHERE g.log_hrv IS NOT NULL
)
SELECT g.i, sqrt((10 * 0.19 * 0.19 + coalesce(sum(s.v * s.v * pow(0.5, (g.i - s.i) / 60.0)), 0))
                 / (10 + coalesce(sum(pow(0.5, (g.i - s.i) / 60.0)), 0))) AS v
FROM grid g LEFT JOIN surprise s ON s.i <= g.i GROUP BY g.i;

-- ---- deviations from the usual, in the wearer's own SDs ---------------------------------------------------------
CREATE TABLE deviation AS
SELECT s.name, s.i, s.v - u.v AS v, count(*) OVER (PARTITION BY s.name ORDER BY s.i) AS so_many
FROM series s JOIN usual u USING (name, i) WHERE s.name NOT IN ('y', 'worn');
CREATE TABLE z AS
SELECT d.name, d.i, CASE WHEN m.sd > 1e-9 THEN greatest(-4, least(4, d.v / m.sd)) ELSE 0.0 END AS v
FROM deviation d JOIN (
  SELECT t.name, t.i, sqrt(sum(p.v * p.v * pow(0.5, (t.i - p.i) / 60.0)) / sum(pow(0.5, (t.i - p.i) / 60.0))) AS sd
  FROM deviation t JOIN deviation p ON p.name = t.name AND p.i <= t.i GROUP BY t.name, t.i
) m USING (name, i)
WHERE d.so_many >= 5;

CREATE TABLE load AS
SELECT g.i, s.v AS strain_z, CASE WHEN s.v IS NULL THEN t.v END AS steps_z, coalesce(s.v, t.v) AS v
FROM grid g LEFT JOIN z s ON s.i = g.i AND s.name = 'strain' LEFT JOIN z t ON t.i = g.i AND t.name = 'steps';
INSERT INTO series SELECT 'load', i, coalesce(v, 0) FROM load;
INSERT INTO series SELECT 'rhr_z', g.i, coalesce(z.v, 0) FROM grid g LEFT JOIN z ON z.i = g.i AND z.name = 'rhr';
INSERT INTO series SELECT 'onset_off', i, abs(v) FROM deviation WHERE name = 'onset';

-- ---- one row an origin ------------------------------------------------------------------------------------------
CREATE TABLE origin_features AS
SELECT g.i, a.v AS anchor, c.v AS scale,
  (SELECT count(p.log_hrv) FROM grid p WHERE p.i <= g.i) AS nights,
  (g.log_hrv - a.v) / c.v AS night_0_back,
  ((SELECT p.log_hrv FROM grid p WHERE p.i = g.i - 1) - a.v) / c.v AS night_1_back,
  ((SELECT p.log_hrv FROM grid p WHERE p.i = g.i - 2) - a.v) / c.v AS night_2_back,
  ((SELECT p.log_hrv FROM grid p WHERE p.i = g.i - 6) - a.v) / c.v AS night_6_back,
  (l2.v - a.v) / c.v AS level_2, (l4.v - a.v) / c.v AS level_4, (l8.v - a.v) / c.v AS level_8,
  (l30.v - a.v) / c.v AS level_30, (l90.v - a.v) / c.v AS level_90,
  ((SELECT avg(p.log_hrv) FROM grid p WHERE p.i <= g.i) - a.v) / c.v AS level_all,
  least(coalesce((g.log_hrv - a.v) / c.v, 0), 0) AS low_night,
  ln(c.v / 0.19) AS spread,
  CASE WHEN g.log_hrv IS NULL THEN 1.0 ELSE 0.0 END AS night_missing,
  least(14, g.i - (SELECT max(p.i) FROM grid p WHERE p.i <= g.i AND p.log_hrv IS NOT NULL))::DOUBLE AS gap_nights,
  worn.v AS coverage,
  z_rhr.v AS rhr_z, z_resp.v AS resp_z, z_skin.v AS skin_z, z_asleep.v AS asleep_z, z_deep.v AS deep_z,
  z_debt.v AS debt_z, z_onset.v AS onset_z,
  o.strain_z, o.steps_z, greatest(coalesce(o.v, 0) - 1, 0) AS load_hard,
  (SELECT p.v FROM load p WHERE p.i = g.i - 1) AS load_1_back,
  acute.v AS load_acute, chronic.v AS load_chronic,
  (SELECT d.v FROM deviation d WHERE d.name = 'workout' AND d.i = g.i) / 60 AS workout_dev_h,
  g.late_workout, g.nap / 60 AS nap_h,
  rhr4.v AS rhr_acute_z, irregular.v AS onset_irregular_h
FROM grid g
JOIN anchor a USING (i) JOIN scale c USING (i) JOIN load o USING (i)
JOIN weighted_mean('y', 2.0) l2 USING (i) JOIN weighted_mean('y', 4.0) l4 USING (i)
JOIN weighted_mean('y', 8.0) l8 USING (i) JOIN weighted_mean('y', 30.0) l30 USING (i)
JOIN weighted_mean('y', 90.0) l90 USING (i) JOIN weighted_mean('worn', 28.0) worn USING (i)
JOIN weighted_mean('load', 4.0) acute USING (i) JOIN weighted_mean('load', 14.0) chronic USING (i)
JOIN weighted_mean('rhr_z', 4.0) rhr4 USING (i) LEFT JOIN weighted_mean('onset_off', 28.0) irregular USING (i)
LEFT JOIN z z_rhr ON z_rhr.i = g.i AND z_rhr.name = 'rhr' LEFT JOIN z z_resp ON z_resp.i = g.i AND z_resp.name = 'resp'
LEFT JOIN z z_skin ON z_skin.i = g.i AND z_skin.name = 'skin' LEFT JOIN z z_deep ON z_deep.i = g.i AND z_deep.name = 'deep'
LEFT JOIN z z_asleep ON z_asleep.i = g.i AND z_asleep.name = 'asleep'
LEFT JOIN z z_debt ON z_debt.i = g.i AND z_debt.name = 'debt'
LEFT JOIN z z_onset ON z_onset.i = g.i AND z_onset.name = 'onset'
ORDER BY g.i;

-- ---- one row an origin and horizon ------------------------------------------------------------------------------
CREATE TABLE own_weekday AS
WITH off AS (
  SELECT g.i, g.weekday, greatest(-4, least(4, (g.log_hrv - u.v) / c.v)) AS v
  FROM grid g JOIN usual u ON u.name = 'y' AND u.i = g.i - 1 JOIN scale c ON c.i = g.i - 1
  WHERE g.log_hrv IS NOT NULL
)
SELECT g.i, w.weekday, coalesce(sum(off.v), 0) / (count(off.v) + 8) AS effect
FROM grid g CROSS JOIN range(0, 7) w(weekday) LEFT JOIN off ON off.i <= g.i AND off.weekday = w.weekday
GROUP BY g.i, w.weekday;

CREATE TABLE target_features AS
SELECT g.i, n.h, t.weekday, o.effect AS weekday_own,
  CASE WHEN (SELECT max(p.i) FROM grid p) >= g.i + n.h AND f.nights >= 7
       THEN ((SELECT p.log_hrv FROM grid p WHERE p.i = g.i + n.h) - f.anchor) / f.scale END AS y
FROM grid g CROSS JOIN range(1, 8) n(h)
JOIN LATERAL (SELECT isodow(g.day + n.h::INTEGER) - 1 AS weekday) t ON true
JOIN own_weekday o ON o.i = g.i AND o.weekday = t.weekday
JOIN origin_features f ON f.i = g.i
ORDER BY g.i, n.h;
