-- The day on which the clocks stand (`hub.now`, else the present moment), by its place in each calendar.
SELECT d.calendar, d.ordinal, d.day AS today, supervision.instant() AS at FROM supervision.day AS d
WHERE d.day = (SELECT (supervision.instant() AT TIME ZONE 'Asia/Shanghai')::date)
