// Blanks what is not code (comments, literals, preprocessor lines) in a C# text, so that the rules can search it with plain
// patterns: a banned word in a comment or in a test's wire bytes is no finding. Line breaks stay, so line numbers hold.
// Called by SourceFile, once per file. The code in the holes of interpolated strings is kept.

namespace Tidy.Tests;

internal sealed class CodeText
{
    private readonly string _text;
    private readonly char[] _code;
    private int _at;

    private CodeText(string text)
    {
        _text = text;
        _code = text.ToCharArray();
    }

    public static string Of(string text)
    {
        var scan = new CodeText(text);
        scan.Code(untilBrace: false);
        return new string(scan._code);
    }

    private char Current => _at < _text.Length ? _text[_at] : '\0';

    private bool AtEnd => _at >= _text.Length;

    private void Code(bool untilBrace)
    {
        int depth = 0;
        while (!AtEnd)
        {
            if (Comment() || Preprocessor() || Literal())
                continue;
            if (untilBrace && Current == '}' && depth-- == 0)
                return;
            if (Current == '{')
                depth++;
            _at++;
        }
    }

    private bool Comment()
    {
        if (Starts("//"))
        {
            BlankTo(_text.IndexOf('\n', _at));
            return true;
        }
        if (Starts("/*"))
        {
            int end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
            BlankTo(end < 0 ? -1 : end + 2);
            return true;
        }
        return false;
    }

    private bool Preprocessor()
    {
        if (Current != '#' || _text[(_text.LastIndexOf('\n', _at) + 1).._at].Trim().Length > 0)
            return false;
        BlankTo(_text.IndexOf('\n', _at));
        return true;
    }

    private bool Literal()
    {
        if (Current == '\'')
        {
            _at++;
            Quoted('\'', verbatim: false, interpolated: false);
            return true;
        }
        int quote = _at;
        while (quote < _text.Length && _text[quote] is '$' or '@')
            quote++;
        if (quote >= _text.Length || _text[quote] != '"')
            return false;
        string prefix = _text[_at..quote];
        _at = quote;
        int quotes = Run('"');
        if (quotes >= 3)
            Raw(quotes);
        else
        {
            _at++;
            Quoted('"', prefix.Contains('@'), prefix.Contains('$'));
        }
        return true;
    }

    // A raw literal ends at as many quotes as it began with; its holes are rare and blanked with it.
    private void Raw(int quotes)
    {
        int end = _text.IndexOf(new string('"', quotes), _at + quotes, StringComparison.Ordinal);
        BlankTo(end < 0 ? -1 : end + quotes);
        while (Current == '"')
            BlankTo(_at + 1);
    }

    private void Quoted(char quote, bool verbatim, bool interpolated)
    {
        while (!AtEnd)
        {
            if (Current == quote && !(verbatim && Next == quote))
            {
                _at++;
                return;
            }
            if (interpolated && Current == '{' && Next != '{')
            {
                _at++;
                Code(untilBrace: true);
                _at++;
                continue;
            }
            bool pair = Current == quote || (Current == '\\' && !verbatim) || (interpolated && Current == '{');
            if (!verbatim && Current == '\n')
                return; // an unfinished literal must not swallow the rest of the file
            BlankTo(_at + (pair ? 2 : 1));
        }
    }

    private char Next => _at + 1 < _text.Length ? _text[_at + 1] : '\0';

    private bool Starts(string what) => string.CompareOrdinal(_text, _at, what, 0, what.Length) == 0;

    private int Run(char c)
    {
        int end = _at;
        while (end < _text.Length && _text[end] == c)
            end++;
        return end - _at;
    }

    private void BlankTo(int end)
    {
        end = end < 0 ? _text.Length : Math.Min(end, _text.Length);
        for (; _at < end; _at++)
            if (_code[_at] is not ('\n' or '\r'))
                _code[_at] = ' ';
    }
}
