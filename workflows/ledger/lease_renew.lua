-- Prolongs a lease that still lives.
--
-- KEYS  1 lease
-- ARGV  1 '<number>:<token>'   2 how long it lives from now, milliseconds
-- Returns 1, or 0 where it has run out or is another's

if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
