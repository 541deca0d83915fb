// The verb chart: the table and the picture of a comparison that was saved.

using System.Text.Json;

namespace Compare;

internal static class Redrawing
{
    public static int Run(string file, string picture)
    {
        try
        {
            var result = Result.Load(file);
            File.WriteAllText(picture, Chart.Draw(result));
            Console.WriteLine($"{Table.Of(result)}\n{Caller.Shown(picture)}");
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
