-- What wrk sends, by arguments of the form name=value: pipeline (requests per write), close (every n-th request asks to close,
-- 1 is each), body (octets of a POST), fields (further fields of 20 octets in each head); and one line of results at the end, in
-- microseconds, for Load.cs to read.

function init(args)
    local options = { pipeline = 1, close = 0, body = -1, fields = 0 }
    for _, arg in ipairs(args) do
        local name, value = arg:match("^(%w+)=(%d+)$")
        options[name] = tonumber(value)
    end

    if options.body >= 0 then
        wrk.method = "POST"
        wrk.body = string.rep("x", options.body)
    end

    for i = 1, options.fields do
        wrk.headers[string.format("X-Scale-%02d", i)] = "123456"
    end

    local keep = wrk.format()
    local close = wrk.format(nil, nil, { ["Host"] = wrk.headers["Host"], ["Connection"] = "close" })

    if options.pipeline > 1 then
        local batch = keep:rep(options.pipeline)
        request = function() return batch end
    elseif options.close == 1 then
        request = function() return close end
    elseif options.close > 1 then
        local sent = 0
        request = function()
            sent = sent + 1
            return sent % options.close == 0 and close or keep
        end
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    -- wrk's correction for omitted samples can leave a percentile beyond the last sample, which it answers by 0: the
    -- greatest sample bounds it then.
    local function percentile(p)
        local value = latency:percentile(p)
        return value > 0 and value or latency.max
    end
    io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration, percentile(50), percentile(99),
        errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
