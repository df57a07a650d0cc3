-- Gives a lease back; does nothing where it has run out or is another's.
--
-- KEYS  1 lease
-- ARGV  1 '<number>:<token>'
-- Returns 1 where it was given back, else 0

if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
